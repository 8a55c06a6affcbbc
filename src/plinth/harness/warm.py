"""Commands of Python, run in forks of a process that has imported what they import.

`python -m plinth` and `python -m copier` take a second and more of a core to import everything, and
tests run them some hundred times. A fork sees what a process of its own would see: the arguments,
the folder, the environment, no input. This package's own modules are imported anew in each.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plumbum

# What the commands import, themselves and by way of others.
PRELOADED = ("copier._cli", "plinth.cli")
OWN = "plinth"


class Warm:
    """A process that has imported everything, and is forked for each command."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        atexit.register(self._stop)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "plinth.harness.warm"],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @classmethod
    @functools.cache
    def shared(cls) -> "Warm":
        """Return the one of this process, which ends with it."""
        return cls()

    def run(
        self, module: str, *arguments: str, at: Path, variables: Mapping[str, str], timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run `python -m MODULE` in a folder; return what it printed and how it ended.

        Raises subprocess.TimeoutExpired where it takes longer.
        """
        with tempfile.TemporaryDirectory() as folder:
            output, errors = Path(folder, "output"), Path(folder, "errors")
            code = self._ask(
                {
                    "module": module,
                    "arguments": arguments,
                    "at": str(at),
                    "variables": {**variables},
                    "seconds": timeout,
                    "streams": [os.devnull, str(output), str(errors)],
                }
            )
            command = [sys.executable, "-m", module, *arguments]
            texts = [file.read_text("utf-8") for file in (output, errors)]
        if code == -signal.SIGKILL:
            raise subprocess.TimeoutExpired(command, timeout, *texts)
        return subprocess.CompletedProcess(command, code, *texts)

    def _stop(self) -> None:
        self._process.communicate()

    def _ask(self, task: Mapping[str, object]) -> int:
        if not self._process.stdin or not self._process.stdout:
            raise ValueError("The process has no pipes.")
        with self._turn:
            self._process.stdin.write(f"{json.dumps(task)}\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


def main() -> None:
    """Import what commands import, and run one for each line of the input."""
    for module in PRELOADED:
        importlib.import_module(module)
    for name in [name for name in sys.modules if name.partition(".")[0] == OWN]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        task: dict[str, Any] = json.loads(line)
        child = os.fork()
        if not child:
            execute(task)
        sys.stdout.write(f"{wait(child, task['seconds'])}\n")
        sys.stdout.flush()


def wait(child: int, seconds: float) -> int:
    """Return the exit code of a process, which is killed with its children after a timeout."""

    def kill(*_: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def execute(task: Mapping[str, Any]) -> None:
    """Become the command; it ends as any program does."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    modes = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
    for number, (path, mode) in enumerate(zip(task["streams"], modes, strict=True)):
        opened = os.open(path, mode, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    os.environ.clear()
    os.environ.update(task["variables"])
    # Copier runs Git through this library, which keeps the environment of its import.
    plumbum.local.env.clear()
    plumbum.local.env.update(task["variables"])
    os.chdir(task["at"])
    sys.path[0] = task["at"]
    sys.argv = [task["module"], *task["arguments"]]
    runpy.run_module(task["module"], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
