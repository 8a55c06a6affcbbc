"""Everything that projects can depend on, installed once and used by all of them."""

import functools
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness import facts
from plinth.harness.locks import exclusively
from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY

ENVIRONMENTS = REPOSITORY / "build" / "environments"

# Runs in the environment itself, which has nothing of ours.
INVENTORY = """
import json
from importlib.metadata import distributions, packages_distributions
found = {}
for distribution in distributions():
    points = distribution.entry_points
    found[distribution.metadata["Name"]] = {
        "modules": [],
        "scripts": [p.name for p in points if p.group == "console_scripts"],
        "plugins": [p.name for p in points if p.group == "pytest11"],
    }
for module, names in packages_distributions().items():
    for name in names:
        found[name]["modules"].append(module)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Distribution:
    """What a distribution brings: modules to import, commands, plug-ins of pytest."""

    modules: Sequence[str]
    scripts: Sequence[str]
    plugins: Sequence[str]


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    path: Path

    @classmethod
    def with_all(cls, requirements: Iterable[str]) -> "Environment":
        """Return an environment with these requirements; it is made once and kept.

        Raises subprocess.CalledProcessError where they exclude one another.
        """
        wanted = "\n".join(sorted(set(requirements))) + "\n"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        digest = hashlib.sha256(f"{version}\n{wanted}".encode()).hexdigest()[:16]
        found = cls(ENVIRONMENTS / digest)
        complete = found.path / "complete"
        with exclusively(found.path.with_suffix(".lock")):
            if not complete.exists():
                made = ("venv", "--clear", "--python", sys.executable, str(found.path))
                _uv(*made)
                filled = ("pip", "install", "--python", str(found.python), "--requirements", "-")
                _uv(*filled, text=wanted)
                complete.touch()
        return found

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    @functools.cache  # noqa: B019 - an environment does not change
    def fingerprint(self) -> str:
        """Return what tells it from one with other versions."""
        versions = sorted(path.name for path in self.path.glob("lib/*/site-packages/*.dist-info"))
        return hashlib.sha256("\n".join([sys.version, *versions]).encode()).hexdigest()

    def version(self, distribution: str) -> str:
        """Return which version of a distribution is installed."""
        (found,) = self.path.glob(f"lib/*/site-packages/{distribution}-*.dist-info")
        return found.name.removeprefix(f"{distribution}-").removesuffix(".dist-info")

    def extended(self, into: Path, folders: Sequence[Path]) -> Path:
        """Make an environment with all of this one and these folders; return its interpreter."""
        _uv("venv", "--python", str(self.python), str(into))
        (here,), (there,) = (path.glob("lib/python*/site-packages") for path in (into, self.path))
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)  # Python leaves out one that is not there
        (here / "all.pth").write_text("".join(f"{path}\n" for path in (*folders, there)), "utf-8")
        return into / "bin" / "python"

    @functools.cache  # noqa: B019 - an environment does not change
    def distributions(self) -> Mapping[str, Distribution]:
        """Return what is installed, by the normalised name."""
        done = subprocess.run(
            [self.python, "-c", INVENTORY], check=True, capture_output=True, text=True
        )
        found: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
        return {facts.distribution(name): Distribution(**brings) for name, brings in found.items()}


def _uv(*arguments: str, text: str | None = None) -> None:
    """Run uv with a text on its standard input."""
    command = ["uv", "--quiet", *arguments]
    subprocess.run(command, check=True, env=clean_environment(), input=text, text=True)
