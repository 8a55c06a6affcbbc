"""What tests of containers share: an engine, and projects that it starts."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from plinth.harness.project import CommandError, GeneratedProject
from plinth.harness.space import Answers

# In a URL each of these signs would end the password; MySQL's stands in one.
PASSWORDS = {"postgresql": "a/b:c@d#e%f", "mysql": "a-b.c_d~e", "sqlite": ""}
ACCOUNT = {"email": "ada@example.com", "password": "correct horse battery staple"}


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """End the run with one sentence where there is no engine."""
    asked = ["docker", "version"]
    installed = shutil.which("docker")
    if not installed or subprocess.run(asked, capture_output=True, check=False).returncode:
        place = os.environ.get("DOCKER_HOST", "its usual place")
        pytest.exit(f"No Docker engine answers at {place}: start it and try again.", returncode=1)


def render(template: Path, folder: Path, answers: Answers) -> GeneratedProject:
    """Render a project whose name no other has, as a checkout under a strict umask has it."""
    slug = f"plinth-{secrets.token_hex(4)}"
    project = GeneratedProject.render(template, folder, {**answers, "project_slug": slug})
    project.run("chmod", "--recursive", "go-rwx", ".")
    return project


@contextmanager
def composed(project: GeneratedProject, *services: str) -> Generator[None]:
    """Start services of compose.yaml from nothing, on any free port, and leave nothing."""
    try:
        compose_up(project, "--build", *services)
        yield
    except CommandError as error:
        error.add_note(project.run("docker", "compose", "logs", "--no-color"))
        raise
    finally:
        project.run("docker", "compose", "down", "--volumes")


def compose_up(project: GeneratedProject, *arguments: str) -> None:
    """Start services of compose.yaml, on any free port."""
    settings = ("env", "PORT=0", f"DATABASE_PASSWORD={PASSWORDS[database_of(project)]}")
    project.run(*settings, "docker", "compose", "up", "--wait", *arguments)


def slug_of(project: GeneratedProject) -> str:
    """Return what the project calls its image and its containers."""
    return str(project.answers["project_slug"])


def database_of(project: GeneratedProject) -> str:
    """Return which database was chosen."""
    return str(project.answers["database"])


def inspect(project: GeneratedProject, name: str) -> Any:  # noqa: ANN401 - whatever Docker says
    """Return what Docker knows of an image or a container."""
    return json.loads(project.run("docker", "inspect", name))[0]


def client_of(project: GeneratedProject) -> httpx2.Client:
    """Return what talks to the service of compose.yaml."""
    address = project.run("docker", "compose", "port", "service", "8000").strip()
    return httpx2.Client(base_url=f"http://{address}", trust_env=False)
