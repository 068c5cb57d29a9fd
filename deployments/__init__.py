"""Deploy the flows with their schedules and work pool, and run the command line over all layers.

Every process imports this package first, so it makes settings that must come before numpy is imported. Linear algebra
gets one thread: its problems are small here, and a second thread makes them several times slower. Variables that are
already set are kept. Freed memory is reused (`packshot.memory`).
"""

import os

from packshot.memory import reuse_freed_memory

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
reuse_freed_memory()
