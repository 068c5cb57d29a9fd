"""Flows: order of the tasks, fan-out, branching and the final state. No pixels, no S3.

Flows don't persist their results. Otherwise a retried run would reuse the old state of each completed subflow, and
would not do what has become possible since then, such as delivering a repaired shot.
"""
