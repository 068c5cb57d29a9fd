"""Decide whether the machine or a person edits a shot, by measurements of its master before any cut-out.

After the cut-out, a model also says whether a person would refuse the machine's edit.
"""
