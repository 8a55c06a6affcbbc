"""Git in folders of others: it asks nothing, runs nothing of theirs, and changes nothing."""

import os
from collections.abc import Generator
from contextlib import contextmanager

SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
}
VARIABLES = {
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


@contextmanager
def quietly() -> Generator[None]:
    """Have Git, and what it starts, run so in this process and those that it starts."""
    before = {**os.environ}
    own = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    for number, (name, value) in enumerate(SETTINGS.items(), own):
        os.environ[f"GIT_CONFIG_KEY_{number}"] = name
        os.environ[f"GIT_CONFIG_VALUE_{number}"] = value
    os.environ["GIT_CONFIG_COUNT"] = str(own + len(SETTINGS))
    os.environ.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=15")
    os.environ.update(VARIABLES)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
