"""In which order: composition, fan-out, branching and the final state. No pixels, no S3.

No flow keeps a result: a run that is tried again would otherwise take over the old state of each subflow that had
completed, and what became possible since then, such as delivering a repaired shot, would never be done.
"""
