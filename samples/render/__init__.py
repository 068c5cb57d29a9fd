"""Render the photographs of the sample batch, `samples/demo-batch`, from modelled products. No camera took them."""
