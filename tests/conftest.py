"""Isolation from the machine, the template's copies, and the closing line of figures."""

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from plinth.harness.hints import Hints
from plinth.harness.memory import forget
from plinth.harness.releases import Releases
from plinth.harness.servers import ServerMissingError, Servers, missing, sentence
from plinth.harness.source import REPOSITORY, copy_template, isolated, publish_template
from plinth.harness.space import AnswerSpace
from plinth.harness.survey import Survey

IDENTITY = {
    "GIT_AUTHOR_NAME": "A Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.com",
    "GIT_COMMITTER_NAME": "A Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


@pytest.fixture(scope="session", autouse=True)
def isolation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's Copier settings, Git identity and service settings out of every test."""
    with (
        isolated(tmp_path_factory.mktemp("settings")),
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="s") as state,
    ):
        # For root, projects keep their databases of development there, as another user.
        Path(state).chmod(0o711)
        patch.setenv("XDG_STATE_HOME", state)
        for name, value in IDENTITY.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template of this checkout as a plain folder."""
    return copy_template(tmp_path_factory.mktemp("plain") / "template")


@pytest.fixture(scope="session")
def survey(template: Path) -> Survey:
    """Return a survey of this checkout's template."""
    return Survey(template, Hints.read(template), 1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Return which of the servers that parts need are there; those that we bring are started."""
    with Servers.opened(Hints.read(REPOSITORY)) as servers:
        yield servers


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, isolation: None) -> Path:
    """Return the template of this checkout as a tagged Git repository."""
    del isolation
    return publish_template(tmp_path_factory.mktemp("published") / "template")


@pytest.fixture(scope="session")
def releases(isolation: None) -> Path:
    """Return a repository with every release, the same for all processes."""
    del isolation
    return Releases.shared().path


@pytest.fixture(scope="session")
def space(template: Path) -> AnswerSpace:
    """Return the answers that the template of this checkout allows."""
    return AnswerSpace(template)


@pytest.fixture
def nightly(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Leave a test to `make updates`; the closing line counts it."""
    if not request.config.getoption("--every-cell"):
        record_property("left to make updates", 1)
        pytest.skip("`make updates` runs it")


class Figures:
    """Adds up what tests recorded with `record_property`, on however many workers they ran.

    `files` are names of distinct files, `progress` is a line to show at once, any other a number.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.numbers: Counter[str] = Counter()
        self.files: set[str] = set()
        self.started = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test recorded."""
        left_out = report.when == "setup" and report.skipped
        if report.when != "call" and not left_out:
            return
        for name, value in report.user_properties:
            if name == "owns":
                self.files.update(cast("list[str]", value))
            elif name == "progress":
                self._reporter().write_line(f"\n{value}")
            else:
                self.numbers[name] += cast("int", value)

    def pytest_terminal_summary(self) -> None:
        """Show the closing line; a skip is never silent."""
        reporter = self._reporter()
        results = {name: len(reporter.getreports(name)) for name in ("passed", "failed", "skipped")}
        counts = {**results, **self.numbers, "distinct files": len(self.files)}
        line = ", ".join(f"{count} {name}" for name, count in counts.items())
        reporter.write_line(f"test: {line}, {time.monotonic() - self.started:.0f} s")

    def _reporter(self) -> pytest.TerminalReporter:
        plugin = self.config.pluginmanager.get_plugin("terminalreporter")
        return cast("pytest.TerminalReporter", plugin)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the longer targets ask for all there is."""
    parser.addoption("--every-pair", action="store_true", help="install each pair of answers")
    parser.addoption("--forget", action="store_true", help="run also what is remembered")
    parser.addoption("--every-cell", action="store_true", help="update with each edit by itself")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests interrupt; count on the process that collects the reports, not on its workers."""
    if config.getoption("--forget"):
        forget()
    # A job that a shell has put into the background ignores it, and so does all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        if not all("containers" in argument for argument in config.args):  # they bring their own
            _look_for_servers()
        config.pluginmanager.register(Figures(config))


def _look_for_servers() -> None:
    """Say before anything else which servers are missing."""
    try:
        absent = missing(Hints.read(REPOSITORY).servers)
    except ServerMissingError as error:
        raise pytest.UsageError(str(error)) from None
    sys.stderr.write(f"{sentence(absent)}\n" if absent else "")
