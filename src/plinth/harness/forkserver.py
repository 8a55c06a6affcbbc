"""Runs projects' tests, each in a process that has everything but the project imported.

Started by `plinth.harness.runner` with the interpreter of the environment that has all
distributions; knows nothing else of this repository. It reads a line of JSON for each thing to do
and answers with one: first `{"preload": […]}`, then any number of
`{"folder": …, "log": …, "seconds": …, "arguments": […], "variables": {…}}`.
"""

import contextlib
import ctypes
import gc
import importlib
import importlib.metadata
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

import pytest

# What is reported for a process that was killed.
NOTHING: dict[str, Any] = {
    "failed": [],
    "asserted": [],
    "skipped": [],
    "imported": [],
    "modules": {},
    "tests": 0,
    "core": 0.0,
}


def main() -> None:
    """Handle requests until the input ends."""
    for line in sys.stdin:
        task: dict[str, Any] = json.loads(line)
        answer = preload(task["preload"]) if "preload" in task else run(task)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def preload(modules: list[str]) -> dict[str, Any]:
    """Import the third-party modules of all projects, so that forks share them."""
    for module in [*modules, *plugins()]:
        with contextlib.suppress(ImportError):  # a class, where a module was taken for one
            importlib.import_module(module)
    # Existing objects are never garbage: collecting them again would cost each project time.
    gc.collect()
    gc.freeze()
    return {}


def plugins() -> list[str]:
    """Return the modules that pytest imports whenever it starts."""
    own = importlib.import_module("_pytest.config").default_plugins
    others = importlib.metadata.entry_points(group="pytest11")
    return [*(f"_pytest.{name}" for name in own), *(point.module for point in others)]


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run a project's tests in a fork and report the result."""
    started = time.monotonic()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        run_tests(task, writer)
    os.close(writer)
    timer = Timer(child, task["seconds"])
    with os.fdopen(reader) as pipe, timer:
        told = pipe.read()
        _, status, usage = os.wait4(child, 0)
    result: dict[str, Any] = json.loads(told) if told else {**NOTHING}
    # Modules that libraries import lazily are preloaded for the next project.
    if late := result.pop("imported"):
        preload(late)
    return {
        **result,
        "status": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - started,
        "overhead": usage.ru_utime + usage.ru_stime - result["core"],
    }


class Timer:
    """Kills a process and its children after a timeout."""

    def __init__(self, process: int, seconds: float) -> None:
        self._process = process
        self._seconds = seconds

    def __enter__(self) -> None:
        """Start."""
        signal.signal(signal.SIGALRM, self._kill)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        """Stop."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _kill(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)


class Recorder:
    """A pytest plug-in that records failures and the time spent in tests."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.asserted: list[str] = []
        self.core = 0.0
        self.tests: list[str] = []
        self.skipped: list[str] = []

    # Exact types: a subclass, such as that of a failed command, is not a failed assertion.
    ASSERTIONS = (AssertionError, pytest.fail.Exception)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Add what a test uses with its fixtures, in this process and those it waits for."""
        before = core_seconds()
        try:
            return (yield)
        finally:
            self.core += core_seconds() - before

    def pytest_exception_interact(self, node: Any, call: Any) -> None:  # noqa: ANN401 - as below
        """Record a failure by an assertion in the test itself."""
        if call.when == "call" and call.excinfo.type in self.ASSERTIONS:
            self.asserted.append(node.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's own class
        """Record a failure."""
        if report.failed:
            self.failed.append(report.nodeid)
        if report.skipped:
            self.skipped.append(report.nodeid)
        if report.when == "call" and report.passed:
            self.tests.append(report.nodeid)


def run_tests(task: dict[str, Any], writer: int) -> None:
    """Run pytest in the project; never returns."""
    os.setsid()
    end_with_parent()
    # Background jobs of a shell ignore SIGINT, and so do their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(task["folder"])
    os.environ.update(task["variables"])
    output = os.open(task["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, stream in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(stream, number)
    importlib.invalidate_caches()
    before = {*sys.modules}
    recorder = Recorder()
    # Rewriting asserts takes time, and warns about every plug-in that is imported already.
    options = ["--assert=plain", "--quiet", "-p", "no:cacheprovider"]
    # If a test hangs, the log shows where.
    options += ["-o", f"faulthandler_timeout={task['seconds'] / 4}"]
    options += task["arguments"]
    status = pytest.main(options, plugins=[recorder])
    told = {
        "failed": recorder.failed,
        "asserted": recorder.asserted,
        "tests": len(recorder.tests),
        "skipped": recorder.skipped,
        "modules": Counter(node.partition("::")[0] for node in recorder.tests),
        "core": recorder.core,
        "imported": [*imported_since(before)],
    }
    with os.fdopen(writer, "w") as pipe:
        json.dump(told, pipe)
    sys.stdout.flush()
    os._exit(int(status))


def imported_since(before: set[str]) -> Iterator[str]:
    """Yield the modules imported since then that belong to no project."""
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None) or ""
        if name not in before and ("/site-packages/" in file or file.startswith(sys.base_prefix)):
            yield name


def end_with_parent() -> None:
    """Have this process killed together with its parent; Linux only."""
    if sys.platform == "linux":
        set_signal_for_the_death_of_the_parent = 1
        ctypes.CDLL(None).prctl(set_signal_for_the_death_of_the_parent, signal.SIGKILL)


def core_seconds() -> float:
    """Return the CPU time of this process and of the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
