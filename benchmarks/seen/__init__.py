"""Edits of real photographs that people have looked at in full size. No rendered scene can give this truth.

    python -m benchmarks.seen run | sheets | verdicts | todo | table

How to look, and the meaning of each kind of defect: benchmarks/seen/README.md.
"""
