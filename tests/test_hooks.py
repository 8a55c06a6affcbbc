"""The hooks of a project work, before a commit and before a push, and need no network."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from plinth.harness.locks import exclusively
from plinth.harness.project import CommandError, GeneratedProject

UNREACHABLE: Mapping[str, str] = {
    "UV_OFFLINE": "1",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
}
RUNNERS: Mapping[str, tuple[str, ...]] = {
    "prek": ("uv", "run", "prek"),
    # The other tool that reads the same file is this repository's, not the project's.
    "pre-commit": (sys.executable, "-m", "pre_commit"),
}
INSTALL = ("uv", "run", "prek", "install")
START = "start"
CONFLICT = "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\n"
SPEAKS_OF_HOOKS = re.compile(r"(?i)\bprek\b|pre-?(commit|push)|\bhooks?\b")


@pytest.fixture
def project(
    template: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GeneratedProject]:
    """Return an installed service as it was first committed, without its hooks.

    It is installed once for all processes that run tests, and one test at a time has it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    for name in ("PREK_HOME", "PRE_COMMIT_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp(name)))
    with exclusively(shared / "hooks.lock"):
        ready = shared / "hooks" / ".git" / "refs" / "tags" / START
        if not ready.exists():
            shutil.rmtree(shared / "hooks", ignore_errors=True)
            start_project(template, shared / "hooks")
        project = GeneratedProject(shared / "hooks", {"pre_commit": True})
        project.run("git", "reset", "--quiet", "--hard", START)
        project.run("git", "clean", "--quiet", "-d", "--force")
        shutil.rmtree(project.path / ".git" / "hooks", ignore_errors=True)
        yield project


def start_project(template: Path, path: Path) -> None:
    """Render, install and commit a service; its tag comes when all that is done."""
    project = GeneratedProject.render(template, path, {"preset": "custom", "pre_commit": True})
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.sync()
    commit(project)
    project.run("git", "tag", START)


def commit(project: GeneratedProject) -> str:
    """Commit everything."""
    project.run("git", "add", "--all")
    return project.run("git", "commit", "--message", "A change")


def test_install(project: GeneratedProject) -> None:
    """One command sets up both hooks."""
    project.run(*INSTALL)
    hooks = {path.name for path in (project.path / ".git" / "hooks").iterdir()}
    assert hooks == {"pre-commit", "pre-push"}


@pytest.mark.parametrize(
    ("path", "text", "repaired"),
    [
        ("src/app/ugly.py", '"""Ugly."""\n\nx = {  }\n', '"""Ugly."""\n\nx = {}\n'),
        ("src/app/ugly.pyi", "x : int\n", "x: int\n"),
        ("ugly.md", "```python\nx = {  }\n```\n", "```python\nx = {}\n```\n"),
        # What the linter leaves behind is formatted at once.
        ("src/app/ugly.py", '"""Ugly."""\n\nimport os\n\nx = 1\n', '"""Ugly."""\n\nx = 1\n'),
    ],
    ids=["format", "stub", "markdown", "lint"],
)
def test_repairs(project: GeneratedProject, path: str, text: str, repaired: str) -> None:
    """A commit is refused once, the file is repaired, and the next commit takes it."""
    project.run(*INSTALL)
    (project.path / path).write_text(text, "utf-8")
    with pytest.raises(CommandError, match="files were modified by this hook"):
        commit(project)
    assert (project.path / path).read_text("utf-8") == repaired
    commit(project)


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("src/app/ugly.py", "x = 1\n", "D100"),
        ("README.md", CONFLICT, "no conflict markers"),
        ("compose.yaml", CONFLICT, "no conflict markers"),
    ],
)
def test_refuses(project: GeneratedProject, path: str, text: str, reason: str) -> None:
    """What no tool can repair is not committed."""
    project.run(*INSTALL)
    (project.path / path).write_text(text, "utf-8")
    with pytest.raises(CommandError, match=reason):
        commit(project)
    assert project.run("git", "rev-parse", "HEAD") == project.run("git", "rev-parse", START)


@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
@pytest.mark.parametrize("runner", RUNNERS)
def test_fresh_project_passes(
    project: GeneratedProject, runner: str, *, offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tools run every hook on every file, find nothing, and fetch nothing."""
    for name, value in UNREACHABLE.items() if offline else ():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    printed = project.run(*RUNNERS[runner], "run", "--all-files")
    assert re.findall(r"(?m)^(.*?)\.\.\.+Passed$", printed) == [
        "lint",
        "format",
        "no conflict markers",
    ]
    assert not project.run("git", "status", "--porcelain")


def pretend_make(folder: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a make on the PATH that writes down how it is called; return where."""
    folder.mkdir()
    calls = folder / "calls"
    (folder / "make").write_text(f'#!/bin/sh\necho "$@" >> "{calls}"\nexit {code}\n', "utf-8")
    (folder / "make").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return calls


@pytest.fixture
def remote(project: GeneratedProject, tmp_path: Path) -> str:
    """Return a repository to push to, with nothing in it."""
    project.run("git", "init", "--quiet", "--bare", str(tmp_path / "remote"))
    return str(tmp_path / "remote")


def test_push(
    project: GeneratedProject, remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each push runs `make check` and nothing else, one that only deletes a file too."""
    calls = pretend_make(tmp_path / "bin", 0, monkeypatch)
    project.run(*INSTALL)
    project.run("git", "push", remote, "main")
    assert calls.read_text("utf-8") == "check\n"
    (project.path / "AGENTS.md").unlink()
    commit(project)
    printed = project.run("git", "push", remote, "main")
    assert calls.read_text("utf-8") == "check\ncheck\n"
    assert "format" not in printed
    assert project.run("git", "ls-remote", remote, "main").split()[:1] == head(project)


def test_push_is_refused(
    project: GeneratedProject, remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing leaves when `make check` finds something."""
    pretend_make(tmp_path / "bin", 1, monkeypatch)
    project.run(*INSTALL)
    with pytest.raises(CommandError, match="failed to push"):
        project.run("git", "push", remote, "main")
    assert not project.run("git", "ls-remote", remote)


def head(project: GeneratedProject) -> list[str]:
    """Return the commit that is checked out, alone in a list."""
    return project.run("git", "rev-parse", "HEAD").split()


@pytest.mark.parametrize("wanted", [True, False], ids=["hooks", "none"])
def test_mentions(template: Path, tmp_path: Path, *, wanted: bool) -> None:
    """Without hooks no file speaks of them; with them these do."""
    answers = {"preset": "full", "pre_commit": wanted}
    files = GeneratedProject.render(template, tmp_path / "service", answers).tree()
    # The answers have the question's name.
    del files[".copier-answers.yml"]
    found = {path for path, text in files.items() if SPEAKS_OF_HOOKS.search(f"{path}\n{text}")}
    expected = {".pre-commit-config.yaml", "README.md", "pyproject.toml"}
    assert expected <= found if wanted else not found
