"""The questions, answered by hand on a real terminal."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from plinth.harness.command import COPIER
from plinth.harness.project import clean_environment
from plinth.harness.space import AnswerSpace

ENTER, DOWN, CLEAR, CTRL_C = "\r", "\x1b[B", "\x15", "\x03"
SECONDS = 30
# A promise, not a copy: who makes everybody answer one more question has to say so here.
ALWAYS_ASKED = {"project_name", "preset", "project_description", "database", "auth"}


class Terminal:
    """A `copier copy` that waits for keys."""

    def __init__(self, template: Path, target: Path) -> None:
        # Wide, so that no sentence is broken in two.
        self._child: pexpect.spawn[str] = pexpect.spawn(
            COPIER[0],
            [*COPIER[1:], "copy", str(template), str(target)],
            env=clean_environment(TERM="xterm-256color"),  # pyright: ignore[reportArgumentType]
            dimensions=(50, 250),
            encoding="utf-8",
            timeout=SECONDS,
        )

    def sees(self, text: str) -> None:
        """Wait until the text is shown, whatever colours and line breaks lie between its words."""
        between = r"(?:\s|\x1b\[[0-9;?]*[A-Za-z])+"
        self._child.expect(between.join(re.escape(word) for word in text.split()))

    def types(self, *keys: str) -> None:
        """Press keys."""
        self._child.send("".join(keys))

    def ends(self) -> int:
        """Wait for the end; return the exit status."""
        self._child.expect(pexpect.EOF)
        self._child.close()
        status = self._child.exitstatus
        assert status is not None, f"ended by signal {self._child.signalstatus}"
        return status

    def stop(self) -> None:
        """Leave no process behind, whatever the test has come to."""
        self._child.close(force=True)


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
        terminal.sees(message)
        terminal.types(ENTER)
    assert terminal.ends() == 0
    assert recorded(target) == space.complete({"preset": "standard"})


def test_custom_asks_everything(terminal: Terminal, target: Path, space: AnswerSpace) -> None:
    """In custom, each question comes, once, in order; one answer is changed by the arrow key."""
    everything = space.asked({"preset": "custom"})
    assert set(space.questions) - set(everything) == {"generation", "extensions", "parts"}
    choose = {"preset": DOWN + DOWN, "database_driver": DOWN, "type_checker": DOWN}
    for name, message in everything.items():
        terminal.sees(message)
        terminal.types(choose.get(name, ""), ENTER)
    assert terminal.ends() == 0
    chosen = {"preset": "custom", "database_driver": "asyncpg", "type_checker": "mypy"}
    assert recorded(target) == space.complete(chosen)


def test_refused_text_shows_its_sentence(terminal: Terminal, target: Path) -> None:
    """A name without a letter is refused where it is typed, and can be mended there."""
    terminal.sees("What is the service called?")
    terminal.types(CLEAR, "!?", ENTER)
    terminal.sees("The name needs at least one letter or digit.")
    terminal.types(CLEAR, "Better", ENTER)
    for question in (
        "How much should it contain?",
        "What does it do",
        "Which database?",
        "Who may call the API?",
    ):
        terminal.sees(question)
        terminal.types(ENTER)
    assert terminal.ends() == 0
    assert recorded(target)["project_name"] == "Better"


@pytest.mark.parametrize("answered", [0, 2])
def test_ctrl_c_leaves_nothing(
    terminal: Terminal, target: Path, space: AnswerSpace, answered: int
) -> None:
    """Whenever one gives up, nothing has been written."""
    messages = list(space.asked({"preset": "standard"}).values())
    for message in messages[:answered]:
        terminal.sees(message)
        terminal.types(ENTER)
    terminal.sees(messages[answered])
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
            terminal.sees(message)
            terminal.types(ENTER)
        terminal.sees("Overwrite README.md?")
        terminal.types(answer)
        assert terminal.ends() == 0
    finally:
        terminal.stop()
    assert ((target / "README.md").read_text(encoding="utf-8") == "mine\n") is kept
    assert (target / "notes.txt").read_text(encoding="utf-8") == "mine too\n"
    assert (target / "pyproject.toml").exists()
