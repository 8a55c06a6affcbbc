"""What the tools know of this project's processes, and where these keep what they need."""

import os
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

PROJECT = Path(__file__).parent.parent

CLOCK = 2
"""Seconds by which the start of a process and the time of a file may be wrong."""


def state_directory(kind: str) -> Path:
    """Where servers of this project, and this user, keep what they need."""
    user = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    # Short, because on macOS a socket's path may have 103 characters and the temporary folder 56.
    name = sha256(f"{user} {PROJECT.resolve()}".encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"{kind}-{name}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if sys.platform != "win32" and folder.lstat().st_uid != os.getuid():
        message = f"{folder} belongs to another user: remove it, or set TMPDIR."
        raise SystemExit(message)
    return folder
