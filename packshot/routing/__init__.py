"""Routing: measure a master before any cut-out, and decide whether the machine or a person edits it.

After the cut-out, a model also says whether a person would refuse the machine's edit.
"""
