"""A generated service in a process group of its own, started by its own `make run`."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

LINES_OF_LOG = 25
SECONDS_TO_STOP = 20


class ServerError(Exception):
    """The service did not start or did not stop; the message ends with the tail of its log."""


class Server:
    """Serves while the context is open; leaving it stops everything that was started."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._command = ["make", "run", f"PORT={port}"]
        self._environment = dict(environment)
        # Outside of the service's folder, which a server with reload watches.
        self._log = folder.with_name(f"{folder.name}.log")

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send SIGINT; kill the group if it does not stop in time, and report that."""
        self._signal(signal.SIGINT)
        stopped = _wait_for(self._is_gone, SECONDS_TO_STOP)
        if not stopped:
            self._signal(signal.SIGKILL)
            _wait_for(self._is_gone, seconds=5)
        if not stopped and error is None:
            raise self._failure(
                f"it did not stop within {SECONDS_TO_STOP} s of Ctrl-C and was killed."
            )

    def wait_until_ready(self, seconds: float = 90) -> float:
        """Return the seconds until the service reported that it is ready."""
        if not _wait_for(lambda: self._is_ready() or self._has_ended(), seconds):
            raise self._failure(f"it was not ready within {seconds:.0f} s.")
        if self._has_ended():
            raise self._failure(f"`{' '.join(self._command)}` ended by itself.")
        return time.monotonic() - self._started

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=2).is_success
        except httpx2.TransportError:
            return False

    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def _is_gone(self) -> bool:
        """Whether no process is left: of the group, or with the folder on its command line."""
        ended = self._has_ended()
        listing = subprocess.run(
            ["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
        )
        processes = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
        left = [
            args
            for pgid, state, args in (fields for fields in processes if len(fields) == 3)  # noqa: PLR2004
            if not state.startswith("Z")
            and (pgid == str(self._process.pid) or f"{self._folder}{os.sep}" in args)
        ]
        return ended and not left

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def _failure(self, sentence: str) -> ServerError:
        tail = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES_OF_LOG:]
        lines = "\n".join(f"   | {line}" for line in tail)
        return ServerError(f"The service failed: {sentence}\n{lines}\n   ({self._log})")


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds; say whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
