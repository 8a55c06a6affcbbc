"""The image, and what compose.yaml makes of it, built and started by a Docker engine."""

import itertools
import re
import secrets
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from plinth.harness.project import CommandError, GeneratedProject
from plinth.harness.space import Answers
from tests.containers.conftest import (
    ACCOUNT,
    PASSWORDS,
    client_of,
    compose_up,
    composed,
    database_of,
    inspect,
    render,
    slug_of,
)

# Each server with another driver of PostgreSQL, and every other database.
VARIANTS: Mapping[str, Answers] = {
    "uvicorn": {"database": "postgresql", "database_driver": "psycopg"},
    "granian": {"database": "postgresql", "database_driver": "asyncpg", "server": "granian"},
    "mysql": {"database": "mysql", "database_driver": "asyncmy"},
    "sqlite": {"database": "sqlite", "database_driver": "aiosqlite"},
}
# A file cannot be stopped, and needs no container for the tests.
WITH_A_SERVER = [name for name, answers in VARIANTS.items() if answers["database"] != "sqlite"]
LABELS = {"REVISION": "0123abc", "SOURCE": "https://example.org/service", "VERSION": "1.2.3"}
# A cluster that trusts nothing runs it like this; the proxy must not reach the healthcheck.
RUN = (
    "--detach",
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--publish=127.0.0.1::8000",
    "--env=http_proxy=http://127.0.0.1:9",
    "--env=APP_AUTH_SECRET=0123456789abcdef0123456789abcdef",
)
# Where compose.yaml has the database, and what its image is called.
ADDRESSES = {
    "postgresql": "app@database/app",
    "mysql": f"app:{PASSWORDS['mysql']}@database/app",
    "sqlite": "//data/app.db",
}
IMAGES = {"postgresql": "postgres", "mysql": "mariadb"}
# What an image is built from.
SOURCES = ("LICENSE", "README.md", "migrations", "pyproject.toml", "src", "uv.lock")
MEGABYTE = 1_000_000
MAX_MEGABYTES = 150

Record = Callable[[str, object], None]


@pytest.fixture(scope="session", params=VARIANTS)
def project(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GeneratedProject]:
    """Return a project that is ready to build."""
    name: str = request.param
    project = render(template, tmp_path_factory.mktemp(name) / "service", VARIANTS[name])
    project.run("uv", "lock", "--quiet")
    yield project
    project.run("docker", "image", "rm", "--force", slug_of(project))


@pytest.fixture(scope="session")
def image(project: GeneratedProject) -> Iterator[str]:
    """Return the name of the project's image."""
    with built(project) as image:
        yield image


@contextmanager
def built(project: GeneratedProject) -> Generator[str]:
    """Build an image as a release does, and remove it in the end."""
    tag = f"{slug_of(project)}:{secrets.token_hex(4)}"
    arguments = [f"--build-arg={name}={value}" for name, value in LABELS.items()]
    project.run("docker", "build", "--tag", tag, *arguments, ".")
    try:
        yield tag
    finally:
        project.run("docker", "image", "rm", tag)


@contextmanager
def beside_a_database(project: GeneratedProject) -> Generator[list[str]]:
    """Start the database of compose.yaml, if it has one; yield the options that lead to it."""
    database = database_of(project)
    url = f"{database}+{project.answers['database_driver']}://{ADDRESSES[database]}"
    options = [f"--env=APP_DATABASE_URL={url}", f"--env=PGPASSWORD={PASSWORDS[database]}"]
    if database == "sqlite":
        yield options
    else:
        with composed(project, "database"):
            yield [*options, f"--network={slug_of(project)}_default"]


@pytest.fixture
def container(project: GeneratedProject, image: str) -> Iterator[str]:
    """Return the name of a container that serves, in production, beside a database."""
    name = f"{slug_of(project)}-unprivileged"
    with beside_a_database(project) as database:
        project.run("docker", "run", f"--name={name}", *database, *RUN, image)
        try:
            yield name
        finally:
            project.run("docker", "rm", "--force", "--volumes", name)


def chosen(project: GeneratedProject) -> str:
    """Return the name of the variant, for the closing line."""
    answers = project.answers.items()
    return next(name for name, variant in VARIANTS.items() if variant.items() <= answers)


def health(project: GeneratedProject, container: str) -> str:
    """Return what the healthcheck says, once it says anything."""
    for _ in range(300):
        status: str = inspect(project, container)["State"]["Health"]["Status"]
        if status != "starting":
            return status
        time.sleep(0.1)
    return "starting"


def readyz(address: str) -> int:
    """Ask a service whether it is ready."""
    return httpx2.get(f"http://{address.strip()}/readyz", trust_env=False).status_code


def test_build_without_a_lock(template: Path, tmp_path: Path) -> None:
    """The build itself says what to do."""
    project = render(template, tmp_path / "service", {})
    with pytest.raises(CommandError) as error:
        project.run("docker", "build", "--progress=plain", ".")
    sentence = r"There is no uv\.lock: run 'uv lock', commit it, build again\."
    # The command that would say so is printed too.
    assert re.search(rf"(?m)^#\d+ [\d.]+ {sentence}$", str(error.value)), error.value


def test_context(template: Path, tmp_path: Path) -> None:
    """Neither secrets nor history nor anything else that is not built from reaches the engine."""
    project = render(template, tmp_path / "service", {})
    project.run("git", "init", "--quiet")
    for name in (".env", "uv.lock", "notes.md", "src/app/__pycache__/main.pyc"):
        path = project.path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    everything = tmp_path / "Dockerfile"
    everything.write_text("FROM scratch\nCOPY . /\n", "utf-8")
    context = tmp_path / "context"
    project.run("docker", "build", f"--file={everything}", f"--output={context}", ".")
    assert {path.name for path in context.iterdir()} == {*SOURCES}
    assert (context / "src" / "app" / "main.py").exists()
    assert not [*context.rglob("__pycache__")]


def test_contents(project: GeneratedProject, image: str, record_property: Record) -> None:
    """The image has the service and its migrations, no tool to build with, and is small."""
    run = ("docker", "run", "--rm", image, "sh", "-c")
    assert set(project.run(*run, "ls -A /app").split()) == {".venv", "migrations", "pyproject.toml"}
    tools = "uv uvx cc gcc g++ clang ld make git pytest ruff"
    assert not project.run(*run, f"for tool in {tools}; do command -v $tool; done; true")
    options = ("--no-trunc", "--human=false", "--format={{.Size}} {{.CreatedBy}}")
    history = project.run("docker", "history", *options, image).splitlines()
    own = itertools.takewhile(lambda layer: "ENV PATH=/app/" not in layer, history)
    megabytes = sum(int(layer.split()[0]) for layer in own) // MEGABYTE
    record_property(f"MB added by the image of {chosen(project)}", megabytes)
    assert 0 < megabytes < MAX_MEGABYTES


def test_labels(project: GeneratedProject, image: str) -> None:
    """The build says what the image is made from."""
    labels = inspect(project, image)["Config"]["Labels"]
    expected = {f"org.opencontainers.image.{n.lower()}": value for n, value in LABELS.items()}
    assert expected.items() <= labels.items()
    assert labels["org.opencontainers.image.title"] == slug_of(project)
    assert labels["org.opencontainers.image.licenses"] == "MIT"


def test_release_without_new_dependencies(
    project: GeneratedProject, image: str, tmp_path: Path
) -> None:
    """Another version of the service has the same layers but the last three, which are small."""
    shutil.copytree(project.path, tmp_path / "service")
    changed = GeneratedProject(tmp_path / "service", project.answers)
    metadata = changed.path / "pyproject.toml"
    text = metadata.read_text("utf-8")
    metadata.write_text(text.replace('version = "0.1.0"', 'version = "0.2.0"'), "utf-8")
    changed.run("uv", "lock", "--quiet")
    with built(changed) as other:
        before, after = (inspect(project, name)["RootFS"]["Layers"] for name in (image, other))
    assert after[:-3] == before[:-3]
    assert after[-3] != before[-3]


def test_unprivileged(project: GeneratedProject, container: str) -> None:
    """It serves as a user with no rights and without a file system to write to."""
    assert health(project, container) == "healthy"
    assert readyz(project.run("docker", "port", container, "8000")) == 200
    assert project.run("docker", "exec", container, "id", "-u").strip() == "10001"
    assert project.run("docker", "exec", container, "id", "-g").strip() == "10001"


@pytest.mark.parametrize("project", WITH_A_SERVER, indirect=True)
def test_health(project: GeneratedProject, container: str) -> None:
    """A service without its database is not healthy."""
    assert health(project, container) == "healthy"
    kind, *command = inspect(project, container)["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    project.run("docker", "exec", container, *command)
    project.run("docker", "compose", "stop", "database")
    with pytest.raises(CommandError, match="503"):
        project.run("docker", "exec", container, *command)


def test_stop(project: GeneratedProject, container: str, record_property: Record) -> None:
    """A service that answers no request is gone at once, and says that all went well."""
    assert health(project, container) == "healthy"
    started = time.monotonic()
    project.run("docker", "stop", container)
    seconds = time.monotonic() - started
    record_property(f"ms to stop {chosen(project)}", round(seconds * 1000))
    assert inspect(project, container)["State"]["ExitCode"] == 0
    assert seconds < 1
    assert "Traceback" not in project.run("docker", "logs", container)


def test_compose(project: GeneratedProject, record_property: Record) -> None:
    """One command brings up the database, its tables and the service."""
    started = time.monotonic()
    with composed(project):
        seconds = time.monotonic() - started
        assert readyz(project.run("docker", "compose", "port", "service", "8000")) == 200
    record_property(f"s from nothing to {chosen(project)}", round(seconds))


def test_rows_outlive_containers(project: GeneratedProject) -> None:
    """Who registered can log in to the containers that come after."""
    form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
    with composed(project):
        with client_of(project) as client:
            assert client.post("/auth/register", json=ACCOUNT).status_code == 201
        project.run("docker", "compose", "down")
        compose_up(project)
        with client_of(project) as client:
            token = client.post("/auth/token", data=form).json()["access_token"]
            user = client.get("/users/me", headers={"Authorization": f"Bearer {token}"})
    assert user.json()["email"] == ACCOUNT["email"]


@pytest.mark.parametrize("project", WITH_A_SERVER, indirect=True)
def test_own_tests(project: GeneratedProject) -> None:
    """The project's tests pass on a database in a container, and start one."""
    events = ("docker", "events", "--filter=event=start", "--filter=label=org.testcontainers=true")
    since = time.time()
    project.run("uv", "run", "python", "-m", "tests.container")
    started = project.run(*events, f"--since={since}", f"--until={time.time()}")
    assert f"image={IMAGES[database_of(project)]}:" in started
