"""Targets of a project's Makefile that need nothing installed but the tools of this repository."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plinth.harness.project import GeneratedProject, clean_environment

# In the place of uv: the tools are those of this repository.
UV = """#!/bin/sh
shift
exec "$@"
"""
UNTIDY = "import os\nVALUES = {'a':1}\n"
TIDY = 'VALUES = {"a": 1}\n'


@pytest.fixture
def project(template: Path, tmp_path: Path) -> GeneratedProject:
    """Return a standard project."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(UV, "utf-8")
    (tmp_path / "bin" / "uv").chmod(0o755)
    return GeneratedProject.render(template, tmp_path / "service", {"preset": "standard"})


def make(project: GeneratedProject, *targets: str) -> str:
    """Run make; return what it prints."""
    folders = (project.path.parent / "bin", Path(sys.executable).parent, os.environ["PATH"])
    done = subprocess.run(
        ["make", *targets],
        cwd=project.path,
        env=clean_environment(PATH=os.pathsep.join(map(str, folders))),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_alone_lists_every_target(project: GeneratedProject) -> None:
    """It runs none of them."""
    targets = re.findall(r"(?m)^([a-z]+):(?!=)", (project.path / "Makefile").read_text("utf-8"))
    lines = make(project).splitlines()
    assert [line.split()[0] for line in lines] == targets
    assert all(len(line.split()) > 2 for line in lines)


def test_make_fix_repairs(project: GeneratedProject) -> None:
    """An import that is not used goes, and the format is that of the project."""
    file = project.path / "src" / "app" / "untidy.py"
    file.write_text(f'"""Untidy."""\n\n{UNTIDY}', "utf-8")
    make(project, "fix")
    assert file.read_text("utf-8") == f'"""Untidy."""\n\n{TIDY}'
