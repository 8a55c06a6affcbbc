"""The questions, answered by hand on a real terminal of 80 columns."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
import yaml

from plinth.harness.command import COPIER
from plinth.harness.project import clean_environment
from plinth.harness.space import Answers, AnswerSpace

ENTER, DOWN, CLEAR, CTRL_C = "\r", "\x1b[B", "\x15", "\x03"
SECONDS = 30
COLUMNS = 80
# A promise, not a copy: who makes everybody answer one more question has to say so here.
ALWAYS_ASKED = {"project_name", "preset", "project_description", "database", "auth"}
CUSTOM = DOWN * 2


@dataclass(frozen=True)
class Way:
    """Keys that answer questions of the preset custom; the others are answered by Enter.

    Each yes/no question that is asked is answered with yes.
    """

    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    chosen: Answers = field(default_factory=dict[str, Any])
    not_asked: frozenset[str] = frozenset()


# Which questions have only one possible answer after others is said here, not read from `ask`.
WAYS = {
    "nothing chosen": Way(not_asked=frozenset({"broker", "outbox"})),
    "asyncpg and mypy": Way(
        {"database_driver": DOWN, "type_checker": DOWN},
        {"database_driver": "asyncpg", "type_checker": "mypy"},
        frozenset({"broker", "outbox"}),
    ),
    "taskiq on NATS": Way(
        {"tasks": DOWN, "broker": DOWN * 2},
        {"tasks": "taskiq", "broker": "nats", "outbox": True},
    ),
    "celery on RabbitMQ": Way(
        {"tasks": DOWN * 3, "broker": DOWN},
        {"tasks": "celery", "broker": "rabbitmq", "outbox": True},
    ),
    "arq, which has one broker": Way(
        {"tasks": DOWN * 2}, {"tasks": "arq", "outbox": True}, frozenset({"broker"})
    ),
    "tasks without users": Way(
        {"auth": "k", "tasks": DOWN},
        {"auth": "none", "tasks": "taskiq"},
        frozenset({"outbox"}),
    ),
    "MySQL, which has one driver": Way(
        {"database": DOWN},
        {"database": "mysql"},
        frozenset({"database_driver", "broker", "outbox"}),
    ),
    "SQLite, which has one driver": Way(
        {"database": DOWN * 2},
        {"database": "sqlite"},
        frozenset({"database_driver", "broker", "outbox"}),
    ),
}


class Screen(pyte.Screen):
    """What the terminal shows; it answers where the program asks for the cursor's place."""

    def __init__(self, reply: Callable[[str], object]) -> None:
        super().__init__(COLUMNS, 50)
        self._reply = reply

    def write_process_input(self, data: str) -> None:
        """Answer the program."""
        self._reply(data)


class Terminal:
    """A `copier copy` that waits for keys."""

    def __init__(self, template: Path, target: Path) -> None:
        self._child: pexpect.spawn[bytes] = pexpect.spawn(
            COPIER[0],
            [*COPIER[1:], "copy", str(template), str(target)],
            env=clean_environment(TERM="xterm-256color"),  # pyright: ignore[reportArgumentType]
            dimensions=(50, COLUMNS),
        )
        self._screen = Screen(self._child.send)
        self._stream = pyte.ByteStream(self._screen)

    def shows(self, text: str) -> str:
        """Wait until each line of the text stands on the screen, whole; return the screen."""
        lines = [line.strip() for line in text.strip().splitlines()]
        deadline = time.monotonic() + SECONDS
        while missing := [line for line in lines if line not in self.rows()]:
            assert time.monotonic() < deadline, f"not shown: {missing} in\n{self.rows()}"
            assert self._read(), f"ended without {missing}:\n{self.rows()}"
        # Copier cuts a line that is too long.
        assert max(map(len, self.rows().splitlines())) < COLUMNS
        return self.rows()

    def rows(self) -> str:
        """Return the screen as text."""
        return "\n".join(row.rstrip() for row in self._screen.display).rstrip()

    def types(self, *keys: str) -> None:
        """Press keys."""
        self._child.send("".join(keys))

    def ends(self) -> int:
        """Wait for the end; return the exit status."""
        deadline = time.monotonic() + SECONDS
        while self._read():
            assert time.monotonic() < deadline, f"it does not end:\n{self.rows()}"
        self._child.close()
        status = self._child.exitstatus
        assert status is not None, f"ended by signal {self._child.signalstatus}"
        return status

    def stop(self) -> None:
        """Leave no process behind, whatever the test has come to."""
        self._child.close(force=True)

    def _read(self) -> bool:
        """Take what has been written; return whether more may follow."""
        try:
            self._stream.feed(self._child.read_nonblocking(65536, timeout=0.2))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return the folder that the project goes to; it does not exist."""
    return tmp_path / "service"


@pytest.fixture
def terminal(template: Path, target: Path) -> Iterator[Terminal]:
    """Return a terminal in which `copier copy` has just been started."""
    terminal = Terminal(template, target)
    yield terminal
    terminal.stop()


def recorded(target: Path) -> dict[str, Any]:
    """Return the answers that the project remembers, Copier's own entries left out."""
    answers = yaml.safe_load((target / ".copier-answers.yml").read_text(encoding="utf-8"))
    return {name: value for name, value in answers.items() if not name.startswith("_")}


def test_standard_by_enter(terminal: Terminal, target: Path, space: AnswerSpace) -> None:
    """Who presses Enter only gets the standard preset, after few questions."""
    asked = space.asked({"preset": "standard"})
    assert set(asked) == ALWAYS_ASKED
    for message in asked.values():
        terminal.shows(message)
        terminal.types(ENTER)
    assert terminal.ends() == 0
    assert recorded(target) == space.complete({"preset": "standard"})


@pytest.mark.parametrize("name", WAYS)
def test_custom_asks_what_can_be_chosen(
    terminal: Terminal, target: Path, space: AnswerSpace, name: str
) -> None:
    """Each question comes once, in order, its help whole; none with one possible answer.

    Yes to each yes/no question leads to a service that there is.
    """
    way = WAYS[name]
    expected = [question for question in space.messages() if question not in way.not_asked]
    chosen = {"preset": "custom", **way.chosen}
    for question in expected:
        screen = terminal.shows(space.messages()[question])
        yes = space.questions[question]["type"] == "bool"
        assert not yes or "(Y/n)" in screen or "(y/N)" in screen
        keys = CUSTOM if question == "preset" else way.keys.get(question, "")
        terminal.types("y" if yes else f"{keys}{ENTER}")
    assert terminal.ends() == 0
    assert set(space.questions) - set(space.asked(chosen)) - way.not_asked == {
        "generation",
        "extensions",
        "parts",
    }
    assert recorded(target) == space.complete(chosen)
    factors = space.factors()
    assert space.allows({n: v for n, v in recorded(target).items() if n in factors})


def test_refused_text_shows_its_sentence(
    terminal: Terminal, target: Path, space: AnswerSpace
) -> None:
    """A text is refused where it is typed, by a sentence that is shown whole."""
    refused = {
        "project_name": ("!?", "It needs a letter or a digit."),
        "project_slug": ("My Slug", "Use a-z, 0-9, -; a letter first."),
        "author_email": ("me", "This is not an e-mail address."),
    }
    for question, message in space.messages().items():
        if question == "license":
            break
        terminal.shows(message)
        wrong, sentence = refused.get(question, ("", ""))
        if wrong:
            terminal.types(CLEAR, wrong, ENTER)
            terminal.shows(f"Validation error for question '{question}': {sentence}")
            terminal.types(CLEAR, "a1@b.example" if question == "author_email" else "better")
        terminal.types(CUSTOM if question == "preset" else "", ENTER)
    terminal.shows("Under which licence is the code?")
    terminal.types(CTRL_C)
    assert terminal.ends() == 1
    assert not target.exists()


@pytest.mark.parametrize("answered", [0, 2])
def test_ctrl_c_leaves_nothing(
    terminal: Terminal, target: Path, space: AnswerSpace, answered: int
) -> None:
    """Whenever one gives up, nothing has been written."""
    messages = list(space.asked({"preset": "standard"}).values())
    for message in messages[:answered]:
        terminal.shows(message)
        terminal.types(ENTER)
    terminal.shows(messages[answered])
    terminal.types(CTRL_C)
    assert terminal.ends() == 1
    assert not target.exists()


@pytest.mark.parametrize(("answer", "kept"), [("n", True), ("y", False)])
def test_existing_files(
    template: Path, target: Path, space: AnswerSpace, answer: str, *, kept: bool
) -> None:
    """A file that is there already is overwritten only by who says so."""
    target.mkdir()
    (target / "README.md").write_text("mine\n", encoding="utf-8")
    (target / "notes.txt").write_text("mine too\n", encoding="utf-8")
    terminal = Terminal(template, target)
    try:
        for message in space.asked({"preset": "standard"}).values():
            terminal.shows(message)
            terminal.types(ENTER)
        terminal.shows("Overwrite README.md?")
        terminal.types(answer)
        assert terminal.ends() == 0
    finally:
        terminal.stop()
    assert ((target / "README.md").read_text(encoding="utf-8") == "mine\n") is kept
    assert (target / "notes.txt").read_text(encoding="utf-8") == "mine too\n"
    assert (target / "pyproject.toml").exists()
