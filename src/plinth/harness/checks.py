"""What must hold for every rendered file, with any answers.

Each check returns sentences about what is wrong, each beginning with the file's path.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

# GitHub's expressions and just's and Make's own braces are not Jinja.
JINJA = re.compile(r"\{%|%\}|(?<!\$)\{\{|\{#")
# Files with braces of their own, and the pattern of what is theirs.
OWN_BRACES: Mapping[str, re.Pattern[str]] = {}
RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")
NOT_ON_WINDOWS = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$')
LONGEST_PATH = 150
# Where a finding is, in one of several projects.
NUMBER = re.compile(r"^\d+/")
# Where the formatter would change something; the change itself is for the editor.
PLACE = re.compile(r"(?m)^ *--> (\S+)$")
MERGE = "tag:yaml.org,2002:merge"


def check_text(path: str, text: str) -> Iterable[str]:
    """Leftover tags, blanks at line ends, and how the file ends."""
    own = OWN_BRACES.get(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if JINJA.search(own.sub("", line) if own else line):
            yield f"{path}:{number}: leftover Jinja: {line.strip()}"
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end of the line"
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"
    if text.endswith("\n\n"):
        yield f"{path}: an empty line at the end"
    # The Apache licence begins with one.
    if text.startswith("\n") and path != "LICENSE":
        yield f"{path}: an empty line at the beginning"


def check_syntax(path: str, text: str) -> Iterable[str]:
    """Whether the file is what its name says."""
    parse = PARSERS.get(PurePosixPath(path).suffix)
    if parse is None:
        return
    try:
        parse(text)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        yield f"{path}: {error}"


def check_names(paths: Iterable[str]) -> Iterable[str]:
    """Whether Windows can hold all the paths, side by side."""
    seen: dict[str, str] = {}
    for path in paths:
        if (other := seen.setdefault(path.casefold(), path)) != path:
            yield f"{path}: differs from {other} in case only"
        if len(path) > LONGEST_PATH:
            yield f"{path}: {len(path)} characters long"
        for name in path.split("/"):
            if RESERVED.match(name) or NOT_ON_WINDOWS.search(name):
                yield f"{path}: {name!r} is not legal on Windows"


def check_mentions(files: Mapping[str, str], absent: Mapping[str, str]) -> Iterable[str]:
    """Whether a file mentions something of a part that is off, by pattern and reason."""
    for pattern, reason in absent.items():
        word = re.compile(pattern)
        for path, text in files.items():
            if found := word.search(f"{path}\n{text}"):
                yield f"{path}: mentions {found[0]!r} although {reason}"


def ruff_findings(project: Path) -> Iterable[str]:
    """Ruff's findings with the project's own configuration, one line each.

    For projects in numbered folders, a finding that several share is reported once.
    """
    for arguments in (["check", "--output-format=concise"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--no-cache", "--quiet", "."],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            told = f"{done.stdout}{done.stderr}"
            lines = PLACE.findall(told) or told.strip().splitlines()
            found = dict.fromkeys(NUMBER.sub("", line) for line in lines)
            yield from (f"ruff {' '.join(arguments)}: {line}" for line in found)


class _StrictLoader(yaml.SafeLoader):
    """Refuses duplicate keys, of which PyYAML silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as the base class has it
        keys = Counter(key.value for key, _ in node.value if key.tag != MERGE)
        for key, times in keys.items():
            if times > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands {times} times")
        return super().construct_mapping(node, deep)


def _parse_yaml(text: str) -> None:
    for _ in yaml.load_all(text, _StrictLoader):
        pass


PARSERS: Mapping[str, Callable[[str], object]] = {
    ".py": ast.parse,
    ".pyi": ast.parse,
    ".toml": tomllib.loads,
    ".yml": _parse_yaml,
    ".yaml": _parse_yaml,
    ".json": json.loads,
}
