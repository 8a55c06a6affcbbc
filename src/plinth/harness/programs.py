"""Programs: what of a project its own tests can see; and how those tests are run."""

import contextlib
import hashlib
import itertools
import json
import os
import queue
import re
import shutil
import subprocess
import threading
import tomllib
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from plinth.harness import facts
from plinth.harness.environment import Environment
from plinth.harness.hints import Hints
from plinth.harness.locks import exclusively
from plinth.harness.project import clean_environment
from plinth.harness.render import Unit
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers
from plinth.harness.survey import Survey

SLOTS = REPOSITORY / "build" / "slots"
SERVER = Path(__file__).with_name("forkserver.py")
# A test that hangs must not hold up all others.
SECONDS = 600


@dataclass(frozen=True)
class Program:
    """The files and distributions that a project's tests can import or read.

    Projects of the same `key` run the same tests on the same code.
    """

    key: str
    answers: Answers
    tree: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """How the tests of a program ended. Times are core-seconds, but for `seconds`."""

    program: Program
    status: int
    tests: int
    failed: Sequence[str]
    # Those that failed by an assertion in the test itself.
    asserted: Sequence[str]
    skipped: Sequence[str]
    core: float
    overhead: float
    seconds: float
    log: str

    @property
    def passed(self) -> bool:
        """Whether there were tests and all of them passed."""
        return self.status == 0 and self.tests > 0


class Programs:
    """The programs that a template can produce."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.renderer = survey.renderer

    def of(self, answers: Answers) -> Program:
        """Return the program that these answers make."""
        tree = self.renderer.tree(answers, machinery=True)
        seen = {path: text for path, text in tree.items() if self._is_seen(path)}
        content = tomllib.loads(tree["pyproject.toml"])
        required = [*content["project"]["dependencies"], *content["dependency-groups"]["dev"]]
        importable = sorted(r for r in required if facts.distribution(r) in self._importable)
        told = json.dumps([seen, importable, content["tool"]["pytest"]], sort_keys=True)
        return Program(hashlib.sha256(told.encode()).hexdigest(), answers, tree)

    def all(self) -> list[Program]:
        """Return every distinct program, in an order that does not change."""
        found: dict[str, Program] = {}
        for answers in self.survey.space.combinations(only=self._decisive):
            program = self.of(self.survey.space.choose(answers).completed(self.survey.least))
            found.setdefault(program.key, program)
        return [found[key] for key in sorted(found)]

    @cached_property
    def _decisive(self) -> set[str]:
        """The questions whose answers can change a program."""
        seen = [unit for unit in self.survey.units if self._is_seen(unit.path)]
        lists: dict[tuple[str, ...], list[Unit]] = {}
        for unit in self.survey.units:
            if unit.path == "pyproject.toml":
                lists.setdefault(self._importable_in(unit), []).append(unit)
        # The file itself says the same to all, unless its answers change what it requires.
        whole = [units for units in lists.values() if not units[0].kind]
        for required, units in lists.items():
            if required and (units[0].kind or len(whole) > 1):
                seen += units
        return {name for unit in seen for name in unit.answers}

    def _importable_in(self, unit: Unit) -> tuple[str, ...]:
        names = (facts.distribution(text) for _, text in facts.requirements(unit))
        return tuple(name for name in names if name in self._importable)

    def _is_seen(self, path: str) -> bool:
        name = PurePosixPath(path)
        return name.suffix == ".py" or name.name in self._named

    @cached_property
    def _named(self) -> set[str]:
        """What the service and its tests say between quotes, file names among it."""
        read = ("src/", "tests/", "migrations/")
        texts = [unit.text for unit in self.survey.units if unit.path.startswith(read)]
        return {name for text in texts for name in re.findall(r'"([\w.-]+)"', text)}

    @cached_property
    def _importable(self) -> set[str]:
        """The distributions that a process of the tests may have loaded; commands are none."""
        imported = {name.partition(".")[0] for name in self.preload}
        runtime = {
            facts.distribution(text)
            for unit in self.survey.units
            if unit.path == "pyproject.toml"
            for table, text in facts.requirements(unit)
            if table == facts.RUNTIME
        }
        return runtime | {
            name
            for name, brings in self.survey.distributions.items()
            if brings.plugins or imported & {*brings.modules}
        }

    @cached_property
    def preload(self) -> list[str]:
        """Every module of others that a program imports."""
        own = {
            facts.module_of(p).partition(".")[0] for p in self.renderer.sources if p.endswith(".py")
        }
        names = {
            name.rpartition(".")[0] or name
            for unit in self.survey.units
            if facts.is_python(unit) and unit.path.endswith(".py")
            for name in facts.imported(unit.text)
        }
        return sorted(name for name in names if name.partition(".")[0] not in own)


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
        """Have processes that run tests, so many at a time, and what `hints` hold beside them.

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

    def run_all(self, programs: Iterable[Program]) -> Iterator[Outcome]:
        """Run programs side by side and yield each as it ends."""
        with ThreadPoolExecutor(self._workers) as pool:
            waiting = {pool.submit(self.run, program) for program in programs}
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
        """Make the folder and start the process, with everything imported."""
        shutil.rmtree(folder, ignore_errors=True)
        visible = [folder / "project" / "src", folder / "installed"]
        python = environment.extended(folder / "environment", visible)
        path = (python.parent, environment.python.parent, os.environ["PATH"])
        # Compiled files are most of what makes the second program quicker than the first.
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
        """Leave what an installed distribution says of itself."""
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
        """Write what changed; the rest stays compiled."""
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
        """Delete what was compiled: its time stamp counts whole seconds."""
        file = self._project / path
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            compiled.unlink()
