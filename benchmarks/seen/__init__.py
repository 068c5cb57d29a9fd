"""Compare the machine with people, by edits of real photographs that people have looked at in full size.

    python -m benchmarks.seen run | sheets | verdicts | todo | table

How to look, and the meaning of each kind of defect: benchmarks/seen/README.md.
"""
