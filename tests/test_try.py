"""`make try` asks for what goes together, and leaves nothing where the user stops."""

import subprocess
import sys

import pexpect

from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY
from plinth.harness.space import AnswerSpace

COMMAND = (sys.executable, "-m", "tools.attempt")
DOWN, ENTER, CTRL_C = "\x1b[B", "\r", "\x03"


def test_asks_each_question(space: AnswerSpace) -> None:
    """Each question with a choice is asked by its own sentence, until the user stops.

    Where there are no tasks, there is no choice of a broker.
    """
    child: pexpect.spawn[str] = pexpect.spawn(
        COMMAND[0],
        list(COMMAND[1:]),
        cwd=str(REPOSITORY),
        env=clean_environment(TERM="xterm"),  # pyright: ignore[reportArgumentType] - it takes any mapping
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 200),
    )
    factors = space.factors()
    *questions, last = ((name, text) for name, text in space.messages().items() if name in factors)
    for name, text in questions:
        child.expect_exact(text.strip().splitlines()[0])
        child.send(DOWN + ENTER if name == "tasks" else ENTER)
    child.expect_exact(last[1].strip().splitlines()[0])
    child.send(CTRL_C)
    child.expect_exact("try: stopped, nothing was made.")
    child.close()


def test_wants_a_terminal() -> None:
    """Without one it says so."""
    done = subprocess.run(
        COMMAND,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        1,
        "try: it asks questions, so it wants a terminal.\n",
    )
