"""Runs the tests of programs, several programs at a time."""

import contextlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import threading
import tomllib
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plinth.harness.environment import Environment
from plinth.harness.hints import Hints
from plinth.harness.locks import exclusively
from plinth.harness.programs import Program, Programs
from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY

SLOTS = REPOSITORY / "build" / "slots"
SERVER = Path(__file__).with_name("forkserver.py")
# A test that hangs must not block the others.
SECONDS = 600


@dataclass(frozen=True)
class Outcome:
    """The result of a program's tests. Times are core-seconds, except `seconds`."""

    program: Program
    status: int
    tests: int
    failed: Sequence[str]
    # Those that failed by an assertion in the test itself.
    asserted: Sequence[str]
    skipped: Sequence[str]
    modules: Mapping[str, int]
    """How many tests passed in each module."""
    core: float
    overhead: float
    seconds: float
    log: str

    @property
    def passed(self) -> bool:
        """Whether there were tests, and all of them passed."""
        return self.status == 0 and bool(self.tests or self.skipped)

    def holds(self, module: str) -> bool:
        """Whether tests of a module passed, and none failed or was skipped."""
        others = (node.partition("::")[0] for node in (*self.failed, *self.skipped))
        finished = self.status in {0, 1}
        return finished and self.modules.get(module, 0) > 0 and module not in others


class Runner:
    """Runs programs, several at a time; make one with `Runner.started`."""

    def __init__(self, programs: Programs, workers: int, hints: Hints) -> None:
        self._programs = programs
        self._workers = workers
        self._hints = hints
        self._turn = threading.BoundedSemaphore(workers)
        self._number = itertools.count()
        self._idle: defaultdict[Environment, queue.SimpleQueue[Slot]] = defaultdict(
            queue.SimpleQueue
        )
        self._slots: list[Slot] = []

    @classmethod
    @contextlib.contextmanager
    def started(cls, programs: Programs, workers: int, hints: Hints) -> Generator["Runner"]:
        """Start processes that run tests, and the process that `hints` want beside them.

        Waits while another runner uses the same folders.
        """
        runner = cls(programs, workers, hints)
        with exclusively(SLOTS / "lock"):
            try:
                yield runner
            finally:
                for slot in runner._slots:
                    slot.stop()

    def run(self, program: Program, arguments: Sequence[str] = ()) -> Outcome:
        """Run one program's tests, or those that pytest's arguments choose."""
        environment = self._programs.survey.environment(program.answers)
        with self._turn:
            try:
                slot = self._idle[environment].get_nowait()
            except queue.Empty:
                folder = SLOTS / str(next(self._number))
                slot = Slot.started(folder, environment, self._programs.preload, self._hints)
                self._slots.append(slot)
            try:
                variables = self._programs.survey.variables(program.answers)
                return slot.run(program, arguments, variables)
            finally:
                self._idle[environment].put(slot)

    def run_all(self, tasks: Iterable[tuple[Program, Sequence[str]]]) -> Iterator[Outcome]:
        """Run programs with pytest's arguments concurrently, and yield each as it ends."""
        with ThreadPoolExecutor(self._workers) as pool:
            waiting = {pool.submit(self.run, *task) for task in tasks}
            try:
                for done in as_completed(waiting):
                    yield done.result()
            finally:
                pool.shutdown(cancel_futures=True)


class Slot:
    """A folder for one project at a time, and the process that runs its tests."""

    def __init__(
        self, folder: Path, python: Path, variables: Mapping[str, str], hints: Hints
    ) -> None:
        self._folder = folder
        self._python = python
        self._variables = variables
        self._hints = hints
        self._tree: dict[str, str] = {}
        self._holder: subprocess.Popen[bytes] | None = None
        self._server = subprocess.Popen(
            [python, SERVER],
            env=variables,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @classmethod
    def started(
        cls, folder: Path, environment: Environment, preload: Sequence[str], hints: Hints
    ) -> "Slot":
        """Create the folder and start the process, with everything imported."""
        shutil.rmtree(folder, ignore_errors=True)
        visible = [folder / "project" / "src", folder / "installed"]
        python = environment.extended(folder / "environment", visible)
        path = (python.parent, environment.python.parent, os.environ["PATH"])
        # Compiled files are the main reason why the second program is faster than the first.
        variables = clean_environment(
            PATH=os.pathsep.join(map(str, path)), PYTHONDONTWRITEBYTECODE=""
        )
        slot = cls(folder, python, variables, hints)
        slot._ask({"preload": preload})
        return slot

    def stop(self) -> None:
        """End its processes."""
        self._server.communicate()
        if self._holder:
            self._holder.communicate()

    def run(
        self, program: Program, arguments: Sequence[str], variables: Mapping[str, str]
    ) -> Outcome:
        """Put the program into the folder and run its tests, with these variables set."""
        self._write(program.tree)
        self._install(tomllib.loads(program.tree["pyproject.toml"])["project"])
        if self._holder is None and self._hints.hold_with in program.tree:
            command = [self._python, "-c", self._hints.hold]
            self._holder = subprocess.Popen(
                command, cwd=self._project, env=self._variables, stdin=subprocess.PIPE
            )
        log = self._folder / "log.txt"
        told = self._ask(
            {
                "folder": str(self._project),
                "log": str(log),
                "seconds": SECONDS,
                "arguments": arguments,
                "variables": variables,
            }
        )
        return Outcome(program=program, log=log.read_text("utf-8", errors="replace"), **told)

    @property
    def _project(self) -> Path:
        return self._folder / "project"

    def _install(self, project: Mapping[str, str]) -> None:
        """Write the metadata of an installed distribution."""
        installed = self._folder / "installed"
        shutil.rmtree(installed, ignore_errors=True)
        name, version = project["name"], project["version"]
        metadata = installed / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")

    def _ask(self, task: Mapping[str, object]) -> dict[str, Any]:
        if not self._server.stdin or not self._server.stdout:
            raise ValueError("The process has no pipes.")
        self._server.stdin.write(f"{json.dumps(task)}\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def _write(self, tree: Mapping[str, str]) -> None:
        """Write the files that changed; the others stay compiled."""
        for path in self._tree.keys() - tree.keys():
            (self._project / path).unlink()
            self._forget(path)
        for path, text in tree.items():
            if self._tree.get(path) != text:
                file = self._project / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text.encode())
                self._forget(path)
        self._tree = {**tree}

    def _forget(self, path: str) -> None:
        """Delete the compiled file: its timestamp has a resolution of one second."""
        file = self._project / path
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            compiled.unlink()
