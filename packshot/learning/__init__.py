"""Train the routing model, and measure how often the machine is wrong.

The routing model predicts from measurements of a shot whether a person would refuse the machine's edit. The model
learns from shots that people have judged. An audit is an edit that the machine would have approved and that a person
judges without knowing this; audits give the share of wrong edits.
"""
