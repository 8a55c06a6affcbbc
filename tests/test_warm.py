"""Commands that run in forks see what processes of their own would see."""

import sys
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from plinth.harness.project import clean_environment
from plinth.harness.warm import Warm

SHOWN = """
import os, subprocess, sys
import copier, plumbum
print(sys.argv[1:], sys.path[0] == os.getcwd(), sys.stdin.read(), os.environ["COLOUR"])
print(plumbum.local["sh"]("-c", "echo $COLOUR in $PWD"), end="")
print(plumbum.local.cwd)
subprocess.run(["sh", "-c", "echo $COLOUR"], check=True)
print("plinth.cli" in sys.modules)
print("problem", file=sys.stderr)
sys.exit(7)
"""


def run(folder: Path, code: str, *arguments: str, timeout: float = 60, colour: str = "") -> str:
    """Run a module that consists of this code; return its code and output."""
    (folder / "shown.py").write_text(code, "utf-8")
    done = Warm.shared().run(
        "shown",
        *arguments,
        at=folder,
        variables=clean_environment(COLOUR=colour),
        timeout=timeout,
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("colour", ["red", "green"])
def test_sees_its_own_folder_and_environment(tmp_path: Path, colour: str) -> None:
    """Also where a library has kept those of the process that imported it."""
    told = run(tmp_path, SHOWN, "one", "two words", colour=colour)
    assert sorted(told.splitlines()) == sorted(
        [
            "7",
            f"['one', 'two words'] True  {colour}",
            f"{colour} in {tmp_path}",
            str(tmp_path),
            colour,
            "False",
            "problem",
        ]
    )


def test_ends_as_a_program_does(tmp_path: Path) -> None:
    """By an error, with what it registered for its end, or by a timeout with its children."""
    told = run(tmp_path, "import atexit\natexit.register(print, 'at the end')\n1 / 0\n")
    assert told.startswith("1\nat the end\nTraceback")
    assert "ZeroDivisionError" in told
    assert run(tmp_path, "") == "0\n"
    with pytest.raises(TimeoutExpired):
        run(tmp_path, "import time\ntime.sleep(600)\n", timeout=0.5)
    assert run(tmp_path, "print('goes on')\n") == "0\ngoes on\n"


def test_is_the_same_interpreter(tmp_path: Path) -> None:
    """With the distributions of this checkout."""
    assert run(tmp_path, "import sys\nprint(sys.executable)\n") == f"0\n{sys.executable}\n"
