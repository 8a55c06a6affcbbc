"""The import rules of `make check` hold for packages that a team adds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

RULES = {
    "a package that is no layer": ("shop/__init__.py", "", "- app.shop"),
    "a module that is no layer": ("shop.py", "", "- app.shop"),
    "a service with HTTP": (
        "core/orders/service.py",
        "import fastapi",
        "app.core.orders.service is not allowed to import fastapi",
    ),
    "a domain in the core": ("core/upwards.py", "import app.main", "core -> main"),
}


def lint(project: Path) -> "subprocess.CompletedProcess[str]":
    """Check the rules of a copy of this project."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("rule", ["", *RULES])
def test_rules_hold_for_new_modules(rule: str, tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "src", tmp_path / "src")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    path, text, sentence = RULES.get(rule, ("", "", "0 broken"))
    if path:
        file = tmp_path / "src" / "app" / path
        file.parent.mkdir(exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    done = lint(tmp_path)
    assert done.returncode == bool(rule), done.stdout
    assert sentence in done.stdout
