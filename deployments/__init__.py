"""When and where: schedules, the work pool, the parameters shown in the UI, and the command line over all floors.

Imported first by every process of the line, so what numpy reads when it is loaded is set here. Linear algebra gets one
thread: its problems here are small, and waiting for a second thread makes them several times slower. Whoever sets the
variables has the last word. Freed memory is used again.
"""

import os

from packshot.memory import reuse_freed_memory

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
reuse_freed_memory()
