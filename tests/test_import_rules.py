"""The import rules of a project hold for packages that its team adds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from plinth.harness.project import GeneratedProject

# What a team adds, and the line by which `lint-imports` refuses it.
REFUSED = {
    "a package that is no layer": ("shop/__init__.py", "", "- app.shop"),
    "a module that is no layer": ("shop.py", "", "- app.shop"),
    "a service with HTTP": (
        "core/orders/service.py",
        "import fastapi\n",
        "app.core.orders.service is not allowed to import fastapi",
    ),
    "a core with a domain": ("core/up.py", "import app.items\n", "app.core.up -> app.items"),
}


@pytest.fixture
def project(template: Path, tmp_path: Path) -> GeneratedProject:
    """Return a standard project."""
    return GeneratedProject.render(template, tmp_path / "service", {"preset": "standard"})


def lint(project: GeneratedProject) -> str:
    """Return what the rules say; nothing has to be installed for it."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": str(project.path / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ("0 broken" not in done.stdout), done.stdout + done.stderr
    return done.stdout


def test_rules_hold_for_what_a_team_adds(project: GeneratedProject) -> None:
    """A package without a layer, a service that knows HTTP, a core that knows a domain."""
    assert "2 kept, 0 broken" in lint(project)
    for path, text, line in REFUSED.values():
        file = project.path / "src" / "app" / path
        file.parent.mkdir(exist_ok=True)
        for place in (file.parent / "__init__.py", file):
            if not place.exists():
                place.write_text(text if place == file else "", "utf-8")
        assert line in lint(project)
        file.unlink()
        if not list(file.parent.glob("[a-z]*.py")):
            (file.parent / "__init__.py").unlink(missing_ok=True)
            file.parent.rmdir()
    assert "2 kept, 0 broken" in lint(project)
