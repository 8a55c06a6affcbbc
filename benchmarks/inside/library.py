"""Which library this project does its tasks with, and on which broker."""

import os

LIBRARY = os.environ.get("BENCH_TASKS", "")
BROKER = os.environ.get("BENCH_BROKER", "")
