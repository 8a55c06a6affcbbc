"""Format what was rendered as a service formats its code."""

import subprocess
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from plinth import git
from plinth.trees import File, Tree

PROJECT, LOCK = "pyproject.toml", "uv.lock"


def differs(original: Tree, service: Tree) -> bool:
    """Whether a service formats its code in another way than what was rendered for it."""
    return _rules(service) != _rules(original)


def formatted(tree: Tree, service: Tree, *, fix: str = "") -> Tree | None:
    """Return a tree with its Python formatted as in the service; None where that cannot be.

    The version of Ruff is the one that the service locks. What violates the rules `fix` is repaired
    before.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = {path: file for path, file in tree.items() if path.endswith((".py", ".pyi"))}
        for path, file in {**code, PROJECT: service[PROJECT]}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(file.content)
        commands = [["format", "--quiet", "."]]
        if fix:
            # What it cannot repair is no failure: `make check` tells.
            commands[:0] = [["check", "--quiet", "--fix-only", "--select", fix, "."]]
        try:
            done = [_run(folder, service, *command) for command in commands]
        except FileNotFoundError:
            return None
        if any(done):
            return None
        return tree | {
            path: replace(file, content=(folder / path).read_bytes()) for path, file in code.items()
        }


def _run(folder: Path, service: Tree, *command: str) -> int:
    return subprocess.run(
        ["uv", "tool", "run", "--quiet", _ruff(service), *command],
        cwd=folder,
        env=git.environment(),
        capture_output=True,
        check=False,
    ).returncode


def _rules(tree: Tree) -> Mapping[str, object]:
    try:
        ruff = tomllib.loads(tree[PROJECT].text).get("tool", {}).get("ruff", {})
    except (KeyError, tomllib.TOMLDecodeError):
        return {}
    names = ("line-length", "indent-width", "format", "target-version")
    return {name: ruff.get(name) for name in names}


def _ruff(service: Tree) -> str:
    lock = service.get(LOCK, File(b"")).text
    packages: list[dict[str, Any]] = tomllib.loads(lock).get("package", [])
    versions = [package["version"] for package in packages if package["name"] == "ruff"]
    return f"ruff@{versions[0]}" if versions else "ruff"
