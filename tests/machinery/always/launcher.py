"""A project that consists of the tools and a history of migrations without the service."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tools

# Generous: a busy machine takes its time.
TIMEOUT = 120
