"""Dockerfile, compose.yaml and .dockerignore, every text of them: no engine is needed for that.

`make containers` builds and starts them.
"""

import graphlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from plinth.harness import linters
from plinth.harness.coverage import covering_array
from plinth.harness.linters import LinterError
from plinth.harness.project import SLUGS, GeneratedProject
from plinth.harness.render import Reading, Renderer
from plinth.harness.survey import RECORD

FILES = ("Dockerfile", "compose.yaml")
# A server that CI starts for the tests is nobody's image.
CONTAINER = re.compile(
    r"(?i)docker(?! (run|exec) )|podman|\bcompose\b|container(?!s = )|\bimages?\b"
)
# What a base image or a library reads, and we do not.
FOREIGN = re.compile(r"(KAFKA|MARIADB|POSTGRES|RABBITMQ)_\w+|PGPASSWORD")
# What the closing line counts then; `references` has looked all the same.
WITHOUT_COMPOSE = "checks left out for want of Docker Compose"

Record = Callable[[str, object], None]


@pytest.fixture(scope="session")
def renderer(template: Path) -> Renderer:
    """Return what renders single files."""
    return Renderer(template)


@pytest.fixture(scope="session")
def rendered(
    renderer: Renderer, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Sequence[Path]]:
    """Return every text that each of the files can have, and those with other names."""
    folder = tmp_path_factory.mktemp("containers")
    texts = {name: dict.fromkeys(texts_of(renderer, name)) for name in FILES}
    for slug in SLUGS:
        project = GeneratedProject.render(template, folder / slug, {"project_slug": slug})
        for name in FILES:
            texts[name][(project.path / name).read_text("utf-8")] = None
    return {
        name: [written(folder / f"{number}-{name}", text) for number, text in enumerate(found)]
        for name, found in texts.items()
    }


def texts_of(renderer: Renderer, name: str) -> Iterator[str]:
    """Yield the texts of a file, whatever is answered."""

    def text(reading: Reading) -> str | None:
        return renderer.text(name, reading)

    yield from (found.result for found in renderer.explore(text) if found.result is not None)


def written(path: Path, text: str) -> Path:
    """Write a file and return it."""
    path.write_text(text, "utf-8")
    return path


def hadolint(files: Sequence[Path]) -> list[str]:
    """Return what is wrong, unsafe or wasteful in Dockerfiles, their shell commands too."""
    options = ["--no-fail", "--format=json", f"--config={os.devnull}"]
    told = linters.output([linters.beside("hadolint"), *options, *map(str, files)])
    found: list[dict[str, Any]] = json.loads(told)
    return [f"{f['file']}:{f['line']}: [{f['code']}] {f['message']}" for f in found]


def schema(files: Sequence[Path]) -> list[str]:
    """Return what the schema of compose files does not allow."""
    return linters.schema(files, "compose-spec")


def references(files: Sequence[Path]) -> list[str]:
    """Return what parts of compose files say of one another that is not so."""
    return [f"{file}: {problem}" for file in files for problem in dangling(file)]


def dangling(file: Path) -> Iterator[str]:
    """Yield what a compose file refers to that is not there, or not as it should be."""
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    services: dict[str, dict[str, Any]] = content["services"]
    waits = {name: service.get("depends_on", {}) for name, service in services.items()}
    for name, service in services.items():
        if "image" not in service and "build" not in service:
            yield f"{name} has no image"
        for other, how in waits[name].items():
            health = services.get(other, {}).get("healthcheck", {})
            if other not in services:
                yield f"{name} waits for {other}, which is not there"
            elif how["condition"] == "service_healthy" and "test" not in health:
                yield f"{name} waits for the health of {other}, which is not checked"
        for volume in service.get("volumes", ()):
            if (source := volume.partition(":")[0]) not in content["volumes"]:
                yield f"{name} has the volume {source}, which is not declared"
    try:
        graphlib.TopologicalSorter(waits).prepare()
    except graphlib.CycleError as error:
        yield f"services wait for one another: {error.args[1]}"


def compose(files: Sequence[Path]) -> list[str]:
    """Return what Docker Compose itself refuses, of each file the first thing."""
    found: list[str] = []
    for file in files:
        command = ["docker", "compose", f"--file={file}", "config", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            found.append(f"{file}: {done.stderr.strip()}")
    return found


def has_compose() -> bool:
    """Whether this machine has Docker Compose."""
    try:
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


LINTERS: Mapping[str, tuple[str, linters.Linter]] = {
    "hadolint": ("Dockerfile", hadolint),
    "schema": ("compose.yaml", schema),
    "references": ("compose.yaml", references),
    "compose": ("compose.yaml", compose),
}

SERVICE_WAITS = "      migrate:\n        condition: service_completed_successfully\n"

SEEDS: Mapping[str, Sequence[linters.Seed]] = {
    "hadolint": (
        ("DL3006", "-slim-trixie AS base", " AS base\nFROM debian AS other"),
        ("DL3007", ":3.14-slim-trixie", ":latest"),
        ("DL3002", "USER 10001:10001", "USER root"),
        ("DL3020", "COPY src src", "ADD src src"),
        ("DL3022", "--from=dependencies", "--from=dependency"),
        ("DL3025", 'CMD ["uvicorn"', 'CMD uvicorn # ["uvicorn"'),
        ("DL1000", "WORKDIR", "WORKDIRECTORY"),
        ("SC2086", "chmod -R a+rX pyproject.toml", "chmod -R a+rX $FILES"),
    ),
    "schema": (
        ("stop_period", "stop_grace_period", "stop_period"),
        ("is not of type 'array'", "cap_drop: [ALL]", "cap_drop: ALL"),
        ("is not of type", "read_only: true", "read_only: [true]"),
        ("depends_on", "condition: service_healthy", "state: healthy"),
    ),
    "references": (
        ("waits for migration", SERVICE_WAITS, SERVICE_WAITS.replace("migrate", "migration")),
        ("which is not checked", "service_completed_successfully", "service_healthy"),
        ("volume data,", "- database:/", "- data:/"),
        ("no image", "    image: postgres:18-trixie\n", ""),
        (
            "one another",
            "      database:\n",
            "      service:\n        condition: service_started\n      database:\n",
        ),
    ),
    "compose": (
        ("depends on undefined service", SERVICE_WAITS, SERVICE_WAITS.replace("migrate", "other")),
        ("undefined volume", "- database:/", "- data:/"),
        ("neither an image nor a build", "    image: postgres:18-trixie\n", ""),
        ("invalid interpolation", "${PORT:-8000}", "${PORT:-8000"),
    ),
}


@pytest.mark.parametrize("name", LINTERS)
def test_no_findings(
    name: str, rendered: Mapping[str, Sequence[Path]], record_property: Record
) -> None:
    """The linter has nothing to say of any text."""
    file, linter = LINTERS[name]
    if linter is compose and not has_compose():
        record_property(WITHOUT_COMPOSE, 1)
        return
    record_property(f"texts of {file} seen by {name}", len(rendered[file]))
    assert not linter(rendered[file])


@pytest.mark.parametrize("name", LINTERS)
def test_finds(
    name: str, rendered: Mapping[str, Sequence[Path]], tmp_path: Path, record_property: Record
) -> None:
    """The linter itself finds each defect of its kind, in the file that has it and in no other."""
    file, linter = LINTERS[name]
    if linter is compose and not has_compose():
        record_property(WITHOUT_COMPOSE, 1)
        return
    linters.assert_finds(linter, rendered[file][-1], SEEDS[name], tmp_path)


@pytest.mark.parametrize("name", LINTERS)
def test_is_not_silent(name: str, tmp_path: Path) -> None:
    """What the linter cannot read is never taken for something without findings."""
    file, linter = LINTERS[name]
    try:
        found = linter([written(tmp_path / file, "services: [")])
    except (LinterError, OSError, yaml.YAMLError):
        return
    assert found


def test_every_answer_counts(renderer: Renderer) -> None:
    """Each answer that the files read makes a difference."""
    for name, ways, asked in (
        # A database that is a file needs a folder, others do not.
        ("Dockerfile", 2, ("python_version", "server", "license")),
        ("compose.yaml", 1, ("database_driver", "cache", "broker", "outbox")),
    ):
        expected = ways * len(list(renderer.space.combinations(asked)))
        assert len(set(texts_of(renderer, name))) == expected


@pytest.mark.parametrize("slug", SLUGS)
def test_slug_is_a_text(slug: str, template: Path, tmp_path: Path) -> None:
    """Whatever the slug is, it names the project and the image."""
    project = GeneratedProject.render(template, tmp_path / "service", {"project_slug": slug})
    content = yaml.safe_load((project.path / "compose.yaml").read_text("utf-8"))
    assert content["name"] == slug
    assert content["services"]["service"]["image"] == slug
    assert content["services"]["migrate"]["image"] == slug


def test_build_context(renderer: Renderer) -> None:
    """What the build copies reaches it, and nothing else does."""
    ignored = next(texts_of(renderer, ".dockerignore")).splitlines()
    everything, *rules = [line for line in ignored if not line.startswith("#")]
    allowed = {line.removeprefix("!") for line in rules if line.startswith("!")}
    assert everything == "*"
    assert {line for line in rules if not line.startswith("!")} == {"**/__pycache__"}
    for text in texts_of(renderer, "Dockerfile"):
        instructions = re.findall(r"(?m)^(?:COPY|ADD) (?!--from)(.*) \S+$", text)
        copied = {name.rstrip("*") for sources in instructions for name in sources.split()}
        assert copied == allowed


def test_compose_names_settings(renderer: Renderer) -> None:
    """What compose.yaml sets is in .env.example, and what it lets one choose is in the README."""
    for answers in covering_array(renderer.space):
        if not answers["container"]:
            continue
        tree = renderer.tree(answers)
        content = yaml.safe_load(tree["compose.yaml"])
        settings = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", tree[".env.example"]))
        named = {n for s in content["services"].values() for n in s.get("environment", ())}
        assert {name for name in named if not FOREIGN.fullmatch(name)} <= settings
        assert "APP_ENVIRONMENT" in named
        choices = set(re.findall(r"\$\{(\w+)", tree["compose.yaml"]))
        assert choices <= set(re.findall(r"\b[A-Z_]+\b", tree["README.md"]))


def test_without(renderer: Renderer) -> None:
    """Where no image is wanted nothing speaks of one."""
    without = [row for row in covering_array(renderer.space) if not row["container"]]
    assert without
    for answers in without:
        files = renderer.tree(answers)
        del files[RECORD]
        found = {path: CONTAINER.findall(f"{path}\n{text}") for path, text in files.items()}
        assert not {path: words for path, words in found.items() if words}
