"""An answer that an organisation has fixed stays: each way round it fails with a sentence."""

import subprocess
import sys
from pathlib import Path

import copier
import pexpect
import pytest
import yaml

from plinth.errors import Exit
from plinth.harness.command import COPIER, git
from plinth.harness.project import clean_environment
from plinth.harness.releases import CURRENT
from tests.organisation.conftest import Organisation, commit, run, service

SENTENCE = "Acme has fixed this answer: license=proprietary."
ANSWERS = ".copier-answers.yml"


def copier_in(
    at: Path, *arguments: str, **variables: str | None
) -> "subprocess.CompletedProcess[str]":
    """Run Copier in a folder, with variables set, or unset by None."""
    environment = {**clean_environment(), **variables}
    return subprocess.run(
        [*COPIER, *arguments],
        cwd=at,
        env={name: value for name, value in environment.items() if value is not None},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def assert_refused(done: "subprocess.CompletedProcess[str]", *unwritten: Path) -> None:
    """Assert that Copier ended with the sentence, and wrote nothing."""
    assert done.returncode != 0
    assert done.stderr.strip().endswith(SENTENCE)
    assert not any(path.exists() for path in unwritten)


@pytest.fixture
def made(acme: Organisation, tmp_path: Path) -> Path:
    """Return a service, committed."""
    return service(acme.path, tmp_path / "service")


def edit_answers(path: Path) -> None:
    """Write another licence into the record of the answers, and commit."""
    file = path / ANSWERS
    file.write_text(
        file.read_text("utf-8").replace("license: proprietary", "license: MIT"), "utf-8"
    )
    commit(path)


def test_by_data(acme: Organisation, tmp_path: Path) -> None:
    """1: --data at the first copy."""
    arguments = ("copy", "--defaults", "--data", "license=MIT", str(acme.path), "service")
    assert_refused(copier_in(tmp_path, *arguments), tmp_path / "service")


def test_by_a_file_of_data(acme: Organisation, tmp_path: Path) -> None:
    """2: --data-file."""
    (tmp_path / "data.yml").write_text("license: MIT\n", "utf-8")
    arguments = ("copy", "--defaults", "--data-file", "data.yml", str(acme.path), "service")
    assert_refused(copier_in(tmp_path, *arguments), tmp_path / "service")


def test_by_an_edited_record(made: Path) -> None:
    """3: the file of answers is edited; Copier's own update and ours refuse it."""
    edit_answers(made)
    assert_refused(copier_in(made, "update", "--defaults"))
    done = run("update", "--no-checks", at=made)
    assert done.returncode == Exit.FAILED
    assert done.stderr.strip().endswith(SENTENCE)


def test_by_settings(acme: Organisation, tmp_path: Path) -> None:
    """4: a settings.yml of the user."""
    (tmp_path / "home" / "copier").mkdir(parents=True)
    file = tmp_path / "home" / "copier" / "settings.yml"
    file.write_text("defaults:\n  license: MIT\n", "utf-8")
    arguments = ("copy", "--defaults", str(acme.path), "service")
    folder = str(tmp_path / "home")
    found = copier_in(tmp_path, *arguments, XDG_CONFIG_HOME=folder, COPIER_SETTINGS_PATH=None)
    assert_refused(found, tmp_path / "service")


def test_by_a_variable(acme: Organisation, tmp_path: Path) -> None:
    """5: a variable that names other settings."""
    (tmp_path / "settings.yml").write_text("defaults:\n  license: MIT\n", "utf-8")
    arguments = ("copy", "--defaults", str(acme.path), "service")
    settings = str(tmp_path / "settings.yml")
    done = copier_in(tmp_path, *arguments, COPIER_SETTINGS_PATH=settings)
    assert_refused(done, tmp_path / "service")


def test_by_a_prompt(acme: Organisation, tmp_path: Path) -> None:
    """6: --ask brings the prompt; the other answers cannot be chosen, and say why."""
    arguments = ["copy", "--defaults", "--ask", "license", "--ask", "container"]
    terminal: pexpect.spawn[str] = pexpect.spawn(
        sys.executable,
        ["-m", "copier", *arguments, str(acme.path), "service"],
        cwd=str(tmp_path),
        env={**clean_environment(), "TERM": "xterm"},
        dimensions=(50, 200),
        timeout=120,
        encoding="utf-8",
    )
    for sentence in (SENTENCE, "Acme has fixed this answer: container=true."):
        terminal.expect_exact(sentence)
        terminal.send("\x1b[A\r")  # up, past the only answer that there is
    terminal.expect(pexpect.EOF)
    answers = yaml.safe_load((tmp_path / "service" / ANSWERS).read_text("utf-8"))
    assert (answers["license"], answers["container"]) == ("proprietary", True)


@pytest.mark.parametrize("command", ["copier", "plinth"])
def test_by_data_of_an_update(made: Path, command: str) -> None:
    """7: --data at an update."""
    if command == "copier":
        done = copier_in(made, "update", "--defaults", "--data", "license=MIT")
    else:
        done = run("update", "--no-checks", "--data", "license=MIT", at=made)
    assert_refused(done)
    assert not git(made, "status", "--porcelain")


@pytest.mark.parametrize("edited", [False, True])
def test_by_recopy(made: Path, *, edited: bool) -> None:
    """8: recopy, with another answer, or with one written into the record, which is repaired."""
    if edited:
        edit_answers(made)
        done = copier_in(made, "recopy", "--defaults", "--overwrite")
        assert done.returncode == 0
        assert "Acme has fixed these answers:\n" in done.stderr
        assert "  license=proprietary\n" in done.stderr
    else:
        done = copier_in(made, "recopy", "--defaults", "--overwrite", "--data", "license=MIT")
        assert_refused(done)
    assert "license: proprietary" in (made / ANSWERS).read_text("utf-8")
    assert (made / "LICENSE").read_text("utf-8").startswith("Acme Source Licence")


def test_by_a_release_of_ours(acme: Organisation, tmp_path: Path) -> None:
    """9: the tags of the template beneath are in the repository too; the next update says so."""
    path = service(acme.path, tmp_path / "service", CURRENT, license="MIT")
    done = run("update", "--no-checks", at=path)
    assert done.returncode == Exit.WOULD_LOSE_WORK
    assert "license would change from MIT to proprietary" in done.stderr
    assert "--data license=proprietary" in done.stderr
    fixed = ("--data", "license=proprietary", "--data", "author_name=Acme Ltd")
    assert run("update", "--no-checks", *fixed, at=path).returncode == 0
    assert (path / "LICENSE").read_text("utf-8").startswith("Acme Source Licence")


def test_by_defaults_of_a_program(acme: Organisation, tmp_path: Path) -> None:
    """10: a program that calls Copier, such as a portal."""
    with pytest.raises(ValueError, match=SENTENCE):
        copier.run_copy(
            str(acme.path),
            tmp_path / "service",
            user_defaults={"license": "MIT"},
            defaults=True,
            quiet=True,
        )


def test_a_text_is_fixed_too(acme: Organisation, tmp_path: Path) -> None:
    """Where there are no choices, by a validator."""
    arguments = ("copy", "--defaults", "--data", "author_name=Me", str(acme.path), "service")
    done = copier_in(tmp_path, *arguments)
    assert done.stderr.strip().endswith("Acme has fixed this answer: author_name=Acme Ltd.")
