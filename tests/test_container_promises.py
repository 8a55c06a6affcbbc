"""Images run without root, say how they are, and serve where compose.yaml looks for them."""

from collections.abc import Mapping

import pytest

from plinth.harness.containers import compose_problems, image_problems
from plinth.harness.coverage import covering_array
from plinth.harness.survey import Survey

# A mistake in a Dockerfile: what is there, what takes its place, and what is said of it.
IMAGE: Mapping[str, tuple[str, str, str]] = {
    "root": ("USER 10001:10001\n", "USER 0:0\n", "USER is ['0:0']: name one user"),
    "no user": ("USER 10001:10001\n", "", "USER is missing"),
    "user by name": ("USER 10001:10001\n", "USER app\n", "USER is ['app']"),
    "no port": ("EXPOSE 8000\n", "", "EXPOSE names no port"),
    "another port": ("EXPOSE 8000\n", "EXPOSE 8080\n", "CMD serves at 0.0.0.0:8000, and EXPOSE"),
    "port of the server": ('"--port", "8000"', '"--port", "8001"', "CMD serves at 0.0.0.0:8001"),
    "host of the server": ('"0.0.0.0"', '"127.0.0.1"', "CMD serves at 127.0.0.1:8000"),
    "no health check": ("HEALTHCHECK", "# HEALTHCHECK", "there is no HEALTHCHECK"),
    "health of nothing": ("8000/readyz", "8000/livez", "HEALTHCHECK does not ask"),
    "health at another port": ("8000/readyz", "8001/readyz", "HEALTHCHECK does not ask"),
    "impatient": (" --start-period=30s", "", "HEALTHCHECK lacks --start-period"),
    "permissions": (
        "a+rX pyproject.toml migrations",
        "a+rX pyproject.toml",
        "migrations is copied with",
    ),
    "no permissions": ("RUN chmod", "# RUN chmod", "pyproject.toml is copied with"),
}
COMPOSE: Mapping[str, tuple[str, str, str]] = {
    "port": (":-8000}:8000", ":-8000}:8080", "service has the ports ['8080'], and the image"),
    "open": ('"127.0.0.1:${PORT', '"${PORT', "service is reached from other machines"),
    "writable": ("  read_only: true\n", "", "service has read_only: None instead of True"),
    "no folder": ("  tmpfs: [/tmp]\n", "", "service has tmpfs: None"),
    "capabilities": ("cap_drop: [ALL]", "cap_drop: [CHOWN]", "has cap_drop: ['CHOWN'] instead of"),
    "privileges": ("no-new-privileges:true", "no-new-privileges:false", "has security_opt: "),
    "no health": (
        "    restart: unless-stopped\n    ports:\n",
        "    healthcheck:\n      disable: true\n    ports:\n",
        "service has no health check",
    ),
    "database's health": (
        "    healthcheck:\n      # While",
        "    x-health:\n      # While",
        "database",
    ),
}


@pytest.fixture(scope="module")
def files(survey: Survey) -> list[tuple[str, str]]:
    """Return Dockerfile and compose.yaml of projects in which any two answers meet."""
    trees = (survey.renderer.tree(answers) for answers in covering_array(survey.space))
    return [(t["Dockerfile"], t["compose.yaml"]) for t in trees if "Dockerfile" in t]


@pytest.fixture
def usual(survey: Survey) -> tuple[str, str]:
    """Return both files of a project that nobody chose anything for."""
    tree = survey.renderer.tree(survey.space.combination())
    return tree["Dockerfile"], tree["compose.yaml"]


def test_promises_are_kept(files: list[tuple[str, str]]) -> None:
    """Whatever is answered."""
    assert files
    for dockerfile, compose in files:
        assert not [*image_problems(dockerfile)]
        assert not [*compose_problems(compose, dockerfile)]


@pytest.mark.parametrize("mistake", IMAGE)
def test_finds_in_an_image(mistake: str, usual: tuple[str, str]) -> None:
    """A promise that is broken is named."""
    before, after, told = IMAGE[mistake]
    assert before in usual[0]
    assert any(told in problem for problem in image_problems(usual[0].replace(before, after)))


@pytest.mark.parametrize("mistake", COMPOSE)
def test_finds_in_compose(mistake: str, usual: tuple[str, str]) -> None:
    """A promise that is broken is named."""
    before, after, told = COMPOSE[mistake]
    assert before in usual[1]
    changed = usual[1].replace(before, after)
    assert any(told in problem for problem in compose_problems(changed, usual[0]))


def test_finds_a_volume_of_root(survey: Survey) -> None:
    """Where the image writes, it may."""
    combination = {**survey.space.combination(), "database": "sqlite"}
    tree = survey.renderer.tree({**combination, "database_driver": "aiosqlite"})
    text = tree["Dockerfile"].replace("-o 10001", "-o 0")
    assert "the volume /data does not belong to the user 10001:10001" in [*image_problems(text)]
