"""Edits of real photographs, looked at by people at full size: the truth that no rendered scene gives.

    python -m benchmarks.seen run | sheets | verdicts | todo | table

How to look, and what each kind of defect means: benchmarks/seen/README.md.
"""
