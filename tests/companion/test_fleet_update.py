"""`plinth fleet update`: commands, or a branch in each clean checkout."""

import shlex
from collections.abc import Callable
from pathlib import Path

import copier
import pytest

from plinth.harness.command import git
from plinth.service import Service
from tests.companion.conftest import NEXT, Checkout, Upstream
from tests.companion.test_fleet_audit import conflicting, dirty, losing, unfinished

README = "README.md"


def test_update_prints_commands(fleet: Checkout) -> None:
    """One for each service that is behind."""
    done = fleet.plinth("fleet", "update", ".")
    address = Service.found(fleet.path / "one").address
    assert done.returncode == 0
    assert [shlex.split(line) for line in done.stdout.splitlines()] == [
        ["uvx", "--from", address, "plinth", "update", name, "--to", "v0.2.0"]
        for name in ("one", "two")
    ]


def test_update_makes_branches(fleet: Checkout) -> None:
    """What `plinth update` would write, on a branch; the checkout itself stays as it is."""
    one, two = Checkout(fleet.path / "one"), Checkout(fleet.path / "two")
    one.replace(README, "Three.", "3.")
    before = fleet.files(), git(one.path, "rev-parse", "HEAD")
    done = fleet.plinth("fleet", "update", ".", "--branch", "next")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "one: next: v0.1.0 to v0.2.0\ntwo: next: v0.1.0 to v0.2.0\n"
    assert (fleet.files(), git(one.path, "rev-parse", "HEAD")) == before
    assert not git(one.path, "status", "--porcelain")
    one.update()
    assert not git(one.path, "diff", "--staged", "next")
    assert git(two.path, "log", "--format=%s", "-1", "next") == (
        "Update the template from v0.1.0 to v0.2.0"
    )
    again = fleet.plinth("fleet", "update", "two", "--branch", "next")
    assert again.returncode == 1
    assert "not touched, there is a branch next already" in again.stdout


@pytest.mark.parametrize(
    ("sow", "why"),
    [
        (dirty, "not touched, changes are not committed: ?? notes.txt"),
        (unfinished, "not touched, an update is not finished"),
        (conflicting, "no branch, the update has conflicts: README.md"),
        (losing, "no branch, the update would lose work: src/app/own.py imports app.cache"),
    ],
)
def test_no_branch_is_made_where_it_would_not_be_right(
    sow: Callable[[Checkout], None], why: str, fleet: Checkout
) -> None:
    """It says why; the others get theirs."""
    sow(Checkout(fleet.path / "one"))
    done = fleet.plinth("fleet", "update", ".", "--branch", "next")
    assert done.returncode == 1, done.stderr
    assert f"one: {why}" in done.stdout
    assert "two: next: v0.1.0 to v0.2.0" in done.stdout
    assert not git(fleet.path / "one", "branch", "--list", "next")


def test_branches_of_several_services_of_one_repository(upstream: Upstream, tmp_path: Path) -> None:
    """One branch has the updates of all."""
    mono = tmp_path / "mono"
    for name in ("a", "b"):
        copier.run_copy(str(upstream.path), mono / name, defaults=True, quiet=True)
    git(tmp_path, "init", "--quiet", "mono")
    Checkout(mono).commit()
    upstream.release("v0.2.0", NEXT)
    done = Checkout(tmp_path).plinth("fleet", "update", "mono", "--branch", "next")
    assert done.returncode == 0, done.stderr
    changed = git(mono, "diff", "--name-only", "HEAD", "next").splitlines()
    assert changed == [f"{n}/{f}" for n in ("a", "b") for f in (".copier-answers.yml", README)]
