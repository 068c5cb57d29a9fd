"""Learn from people's decisions, so that the machine approves what people would approve.

Here are audits (a person judges edits that the machine would have approved, without knowing this), the training of the
routing model (which predicts whether a person would refuse the machine's edit), and the choice of the model in use.
"""
