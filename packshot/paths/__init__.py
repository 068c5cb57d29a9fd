"""Work with clipping paths (vector outlines of a product): read them, fill them to mattes, draft them, write them.

A matte says how much of each pixel is product.
"""
