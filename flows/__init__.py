"""Run the tasks in their order, as Prefect flows: fan-out, branching and the final state. No pixels, no S3.

Flows don't store their results. Otherwise a retried run would use the old state of each completed subflow again. It
would then not do work that has become possible since, such as delivering a repaired shot.
"""
