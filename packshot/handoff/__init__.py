"""The hand-over to people: what they are asked, what they may decide, when it is due, what they put back."""
