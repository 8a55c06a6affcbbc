"""What a text of a project says about others: what it uses, and what it provides."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

from plinth.harness.render import Unit

# The shares of pyproject.toml that list distributions, by their table there.
RUNTIME, DEVELOPMENT = "dependencies", "development"
SETTING = re.compile(r"\bAPP_[A-Z0-9_]*[A-Z0-9]\b")
EXAMPLE = re.compile(r"(?m)^(?:# )?(APP_[A-Z0-9_]+)=")
TARGET = re.compile(r"(?m)^([a-z][\w-]*):(?!=)")
# In prose a target is between backticks, in a file of commands at the start of a command.
CALL = re.compile(r"(?m)(?:[`\"'$]\s?|- run: )make ([a-z]+)")
COMMAND = re.compile(r"(?m)^ *(?:[A-Z_]+=\S+ )*make ([a-z]+)")
SERVICE = re.compile(r"(?m)^  ([a-z][\w-]*):$")


def is_python(unit: Unit) -> bool:
    """Whether it is a whole Python file."""
    return PurePosixPath(unit.path).suffix in {".py", ".pyi"} and not unit.kind


def imported(text: str) -> Iterator[str]:
    """Yield each module, and each name in a module, that a text imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_standard(module: str) -> bool:
    """Whether a module comes with Python."""
    return module.partition(".")[0] in sys.stdlib_module_names


def requirements(unit: Unit) -> Iterator[tuple[str, str]]:
    """Yield the table and the requirement for each that this part of pyproject.toml declares."""
    if unit.kind in {RUNTIME, DEVELOPMENT}:
        found = [(unit.kind, text) for text in re.findall(r'(?m)^    "(.+)",', unit.text)]
    elif not unit.kind:
        content = tomllib.loads(unit.text)
        found = [(RUNTIME, text) for text in content["project"]["dependencies"]]
        for texts in content["dependency-groups"].values():
            found += [(DEVELOPMENT, text) for text in texts]
    else:
        found = []
    yield from found


def distribution(requirement: str) -> str:
    """Return the normalised name of what is required."""
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def settings(unit: Unit) -> Iterator[str]:
    """Yield the environment variable of each setting that a class declares."""
    for node in ast.walk(ast.parse(unit.text)):
        if isinstance(node, ast.ClassDef) and (begins := prefix(node)):
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    yield f"{begins}{line.target.id}".upper()


def prefix(node: ast.ClassDef) -> str:
    """Return the prefix of a class of settings; empty for another class."""
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
            for keyword in line.value.keywords:
                if keyword.arg == "env_prefix" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return ""


def calls(unit: Unit) -> Iterator[str]:
    """Yield each target of make that a text tells to run."""
    yield from CALL.findall(unit.text)
    if PurePosixPath(unit.path).suffix in {".md", ".yaml"}:
        yield from COMMAND.findall(unit.text)
