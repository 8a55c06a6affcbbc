"""Lower bounds of dependencies: which projects have to be installed to try each of them."""

import re
import tomllib
from collections.abc import Iterable, Iterator

from plinth.harness import facts
from plinth.harness.render import Reading
from plinth.harness.space import Answers
from plinth.harness.survey import Survey

KINDS = (facts.RUNTIME, facts.DEVELOPMENT)
BOUND = re.compile(r">= *([\d.]+)")


def combinations(survey: Survey) -> list[Answers]:
    """Return few combinations in which each part with dependencies of its own is on.

    As few other parts as possible are on beside them: a dependency of another part may want a newer
    version than the bound that is to be tried.
    """
    renderer = survey.renderer
    left = [p for p in renderer.conditions if any(renderer.share(p, kind) for kind in KINDS)]
    found: list[Answers] = []
    while left:
        chosen: list[str] = []
        row: Answers | None = None
        for part in left:
            if (more := survey.with_parts([*chosen, part])) is not None:
                chosen, row = [*chosen, part], more
        if row is None:
            raise ValueError(f"no answers turn on {', '.join(left)}")
        found.append(row)
        reading = Reading(renderer, row)
        left = [part for part in left if not reading.part(part)]
    return found


def required(pyproject: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the lower bound of what a project depends on.

    Raises ValueError where a requirement has no lower bound.
    """
    content = tomllib.loads(pyproject)
    groups = content.get("dependency-groups", {}).values()
    for text in [
        *content["project"]["dependencies"],
        *(text for group in groups for text in group),
    ]:
        found = BOUND.search(text)
        if found is None:
            raise ValueError(f"{text} has no lower bound")
        yield facts.distribution(text), found[1]


def untried(projects: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a sentence for each lower bound that none of some projects has installed.

    A project is the text of its pyproject.toml and that of its uv.lock, resolved to the lowest
    versions.
    """
    resolved: dict[tuple[str, str], set[str]] = {}
    for pyproject, lock in projects:
        packages = tomllib.loads(lock)["package"]
        versions = {package["name"]: package.get("version", "") for package in packages}
        for name, bound in required(pyproject):
            resolved.setdefault((name, bound), set()).add(versions[name])
    for (name, bound), versions in sorted(resolved.items()):
        if not any(f"{version}.".startswith(f"{bound}.") for version in versions):
            yield (
                f"{name}>={bound} is never installed at its lower bound: another dependency wants "
                f"{name} {' or '.join(sorted(versions))}, so write that"
            )
