"""A worker whose task has one effect and notes its attempts: `python marking.py`.

With `BENCH_WITHOUT` in the environment it goes without what keeps the tasks of killed workers.
"""

import os

from library import LIBRARY

if LIBRARY == "taskiq":
    from by_taskiq import DECISIVE, NOT_SENT, sending, take_away, work
else:
    from by_others import DECISIVE, NOT_SENT, sending, take_away, work

__all__ = ["DECISIVE", "NOT_SENT", "sending", "take_away"]

if __name__ == "__main__":
    if "BENCH_WITHOUT" in os.environ:
        take_away()
    work()
