"""Workflows, rendered ones and our own: no linter finds anything, and every pin is recorded."""

import http.server
import itertools
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import jinja2.meta
import pytest
import yaml

from plinth.harness import linters
from plinth.harness.linters import LINTERS, LinterError
from plinth.harness.project import SLUGS, CommandError, GeneratedProject
from plinth.harness.source import REPOSITORY, copy_template

# What stands in a rendered workflow, each with the answers to try.
CHANGING: Mapping[str, tuple[str | bool, ...]] = {
    "container": (True, False),
    "python_version": ("3.11", "3.12", "3.13", "3.14"),
    "project_slug": SLUGS,
}
# Only what is looked at here is rendered: the workflow, and the files that it speaks of.
RENDERED = (".github", "Makefile.jinja", "Dockerfile.jinja")
RECORD = REPOSITORY / "docs" / "decisions" / "0008-pinned-actions.md"
ROW = re.compile(
    r"(?m)^\| (\S+/\S+) \| (v\S+) \| `([0-9a-f]{40})` \| (.*?) ?\| .*github\.com/(\S+),"
)
USES = re.compile(r"uses: (\S+)@([0-9a-f]{40}) # (v\S+)")
PARTIAL = "github"


@dataclass(frozen=True)
class Workflow:
    """A workflow, and the folder of the repository that it is for."""

    path: Path
    repository: Path

    @property
    def text(self) -> str:
        """The file as it is."""
        return self.path.read_text("utf-8")

    @property
    def content(self) -> Mapping[str, Any]:
        """What the file says."""
        return yaml.safe_load(self.text)

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        """The jobs by name."""
        return self.content["jobs"]

    def steps(self, action: str) -> list[Mapping[str, Any]]:
        """Return the inputs of every step that uses this action."""
        steps = itertools.chain.from_iterable(job["steps"] for job in self.jobs.values())
        return [step.get("with", {}) for step in steps if action in step.get("uses", "")]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[Workflow]:
    """Return every distinct workflow that a project can have."""
    folder = tmp_path_factory.mktemp("workflows")
    template = copy_template(folder / "template")
    for path in (template / "template").iterdir():
        if path.name not in RENDERED:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    distinct: dict[str, Workflow] = {}
    for values in itertools.product(*CHANGING.values()):
        answers = dict(zip(CHANGING, values, strict=True))
        project = GeneratedProject.render(
            template, folder / "-".join(map(str, values)), {"ci": "github", **answers}
        )
        (path,) = (project.path / ".github" / "workflows").iterdir()
        workflow = Workflow(path, project.path)
        distinct.setdefault(workflow.text, workflow)
    return list(distinct.values())


@pytest.fixture(scope="session")
def own() -> list[Workflow]:
    """Return this repository's own workflows."""
    found = sorted((REPOSITORY / ".github" / "workflows").iterdir())
    return [Workflow(path, REPOSITORY) for path in found]


@pytest.fixture(scope="session")
def workflows(rendered: list[Workflow], own: list[Workflow]) -> list[Workflow]:
    """Return all of them."""
    assert len(own) >= 2
    return [*rendered, *own]


@dataclass(frozen=True)
class Pin:
    """A row of the record: an action, its version and commit, and the inputs that it has."""

    action: str
    version: str
    commit: str
    inputs: frozenset[str]


def pins() -> dict[str, Pin]:
    """Return the rows of the record by action."""
    found = ROW.findall(RECORD.read_text("utf-8"))
    # An action may lie in a folder of its repository.
    assert all(f"{action}/".startswith(f"{source}/") for action, *_, source in found)
    return {
        action: Pin(action, version, commit, frozenset(re.findall(r"`(\S+)`", inputs)))
        for action, version, commit, inputs, _ in found
    }


def test_answers_that_change_it() -> None:
    """Nothing is asked that changes a workflow and is not tried here."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=True)
    partials = sorted((REPOSITORY / "extensions").glob(f"*/{PARTIAL}"))
    sources = [*(REPOSITORY / "template" / ".github").rglob("*.jinja"), *partials]
    asked = {
        name
        for path in sources
        for name in jinja2.meta.find_undeclared_variables(environment.parse(path.read_text()))
    }
    # A part has the name of its question where it is a choice between yes and no.
    assert asked | {path.parent.name for path in partials} == CHANGING.keys()


def test_distinct(rendered: list[Workflow], record_property: Callable[[str, object], None]) -> None:
    """Every answer makes a difference; the slug only where there is an image to name."""
    record_property("distinct workflows", len(rendered))
    assert len(rendered) == len(CHANGING["python_version"]) * (1 + len(CHANGING["project_slug"]))


@pytest.mark.parametrize("name", LINTERS)
def test_no_findings(name: str, workflows: list[Workflow]) -> None:
    """The linter has nothing to say of any workflow."""
    assert not LINTERS[name]([workflow.path for workflow in workflows])


CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
LAST_STEP = "- run: make test\n"


SEEDS: Mapping[str, Sequence[linters.Seed]] = {
    "zizmor": (
        ("unpinned-uses", CHECKOUT, "actions/checkout@v7"),
        ("artipacked", "persist-credentials: false", "fetch-depth: 1"),
        ("excessive-permissions", "permissions: {}", "permissions: write-all"),
        ("dangerous-triggers", "  pull_request:", "  pull_request_target:"),
        ("template-injection", LAST_STEP, "- run: make ${{ github.event.pull_request.title }}\n"),
    ),
    "actionlint": (
        ("expression", "pull_request.number", "pull_request.number)"),
        ("expression", "github.run_id", "github.run_di"),
        ("job-needs", "  test:\n", "  test:\n    needs: [lint]\n"),
        ("runner-label", "ubuntu-24.04", "ubuntu-24.40"),
        ("events", "17 4 * * 1", "17 4 * * 8"),
    ),
    "schema": (
        ("timeout-minute'", "timeout-minutes", "timeout-minute"),
        ("'step' was", "    steps:", "    step:"),
        ("is not of type", "branches: [main]", "branches: {main: true}"),
    ),
    "shellcheck": (
        ("SC2086", LAST_STEP, "- run: touch $HOME/made && make test\n"),
        ("SC2164", LAST_STEP, "- run: cd src; make test\n"),
        ("expression", LAST_STEP, "- run: make ${{ github.ref_name }}\n"),
    ),
}


@pytest.mark.parametrize("name", LINTERS)
def test_finds(name: str, rendered: list[Workflow], tmp_path: Path) -> None:
    """The linter itself finds each defect of its kind, in the file that has it and in no other."""
    linters.assert_finds(LINTERS[name], rendered[0].path, SEEDS[name], tmp_path)


@pytest.mark.parametrize("name", LINTERS)
def test_is_not_silent(name: str, rendered: list[Workflow], tmp_path: Path) -> None:
    """A file that the linter cannot read is never taken for one without findings."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("jobs: [", "utf-8")
    try:
        found = LINTERS[name]([rendered[0].path, broken])
    except (LinterError, yaml.YAMLError):
        return
    assert found


def test_another_archive_is_refused() -> None:
    """What the registry delivers is what was looked at when it was chosen."""
    with pytest.raises(LinterError, match="has the hash"):
        linters.verified(b"another", linters.ACTIONLINT_SHA512)


def test_actions_are_those_of_the_record(workflows: list[Workflow]) -> None:
    """Each action is pinned as the record says, with inputs that it has, and no row is idle."""
    recorded = pins()
    used: set[str] = set()
    inputs: dict[str, set[str]] = {action: set() for action in recorded}
    for workflow in workflows:
        for line in re.findall(r"(?m)^.*\buses:.*$", workflow.text):
            found = USES.search(line)
            assert found, f"{workflow.path.name}: {line.strip()} is not pinned"
            action, commit, version = found.groups()
            pin = recorded[action]
            assert (version, commit) == (pin.version, pin.commit), line
            used.add(action)
            inputs[action].update(*workflow.steps(action))
    assert used == recorded.keys()
    assert inputs == {action: set(pin.inputs) for action, pin in recorded.items()}


def test_results_are_cached(own: list[Workflow]) -> None:
    """What a job restores it saves under the same key, also where something fails."""
    cached = [job for flow in own for job in flow.jobs.values() if "actions/cache" in str(job)]
    assert cached
    for job in cached:
        steps: dict[str, list[Mapping[str, Any]]] = {"restore": [], "save": []}
        for step in job["steps"]:
            found = re.match(r"actions/cache/(\w+)@", step.get("uses", ""))
            if found:
                steps[found[1]].append(step)
        restored = {step["with"]["path"]: step for step in steps["restore"]}
        assert restored.keys() == {"build/results", "build/environments"}
        assert [step["with"]["path"] for step in steps["save"]] == [
            "build/results",
            "build/environments",
        ]
        for step in steps["save"]:
            before = restored[step["with"]["path"]]
            same = f"${{{{ steps.{before.get('id')}.outputs.cache-primary-key }}}}"
            assert step["with"]["key"] in {before["with"]["key"], same}
            assert "!cancelled()" in step["if"]


READS = {"contents": "read"}
# The one job that does more: it publishes what another has built, and checks out nothing.
PUBLISHES = {("site.yaml", "publish"): {"pages": "write", "id-token": "write"}}


def test_permissions(workflows: list[Workflow]) -> None:
    """Nothing is permitted but reading the repository, and no job runs without end."""
    for workflow in workflows:
        assert workflow.content["permissions"] == {}
        for name, job in workflow.jobs.items():
            allowed = PUBLISHES.get((workflow.path.name, name), READS)
            assert job["permissions"] == allowed, name
            assert allowed == READS or "checkout" not in str(job["steps"])
            assert 0 < job["timeout-minutes"] <= 180, name


def test_make_targets_exist(workflows: list[Workflow]) -> None:
    """What a workflow makes, a developer can make."""
    for workflow in workflows:
        targets = re.findall(r"(?m)^([a-z-]+):", (workflow.repository / "Makefile").read_text())
        commands = "\n".join(linters.run_steps(workflow.path))
        called = set(re.findall(r"\bmake ([a-z-]+)", commands))
        assert called
        assert called <= set(targets)


def test_image_is_called_by_the_slug(rendered: list[Workflow]) -> None:
    """Whatever the slug is, it stays a text."""
    named = [step["tags"] for flow in rendered for step in flow.steps("docker/build-push-action")]
    assert set(named) == set(CHANGING["project_slug"])


def test_uv_is_that_of_the_image(rendered: list[Workflow]) -> None:
    """What CI checks, the image installs."""
    for workflow in rendered:
        dockerfile = workflow.repository / "Dockerfile"
        if dockerfile.exists():
            versions = {step["version"] for step in workflow.steps("astral-sh/setup-uv")}
            assert versions == set(re.findall(r"/uv:(\S+)", dockerfile.read_text("utf-8")))


def test_job_runs_the_chosen_python(rendered: list[Workflow]) -> None:
    """Each answer reaches the job that runs the tests."""
    python = [step.get("python-version") for f in rendered for step in f.steps("setup-uv")]
    assert set(python) - {None} == set(CHANGING["python_version"])


class Advisories(http.server.BaseHTTPRequestHandler):
    """A stand-in for the service that `uv audit` asks, which knows one advisory or none."""

    known: ClassVar[bool]

    def do_POST(self) -> None:
        """Answer for each package whether something is known about it."""
        length = int(self.headers["Content-Length"])
        queries = json.loads(self.rfile.read(length))["queries"]
        found = {"vulns": [{"id": "TEST-1", "modified": "2026-01-01T00:00:00Z"}]}
        self._answer({"results": [found if self.known else {} for _ in queries]})

    def do_GET(self) -> None:
        """Describe the advisory."""
        self._answer({"id": "TEST-1", "modified": "2026-01-01T00:00:00Z", "affected": []})

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def advisories() -> Iterator[str]:
    """Return the address of the stand-in; when the test ends nothing listens there any more."""
    with http.server.HTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def audited(tmp_path: Path) -> GeneratedProject:
    """Return a project with one dependency, which is locked."""
    project = GeneratedProject(tmp_path, {})
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "audited"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["iniconfig"]\n',
        "utf-8",
    )
    project.run("uv", "lock", "--quiet")
    return project


def audit(rendered: list[Workflow], project: GeneratedProject, service: str) -> str:
    """Run the command of the job, with another service."""
    (command,) = (step["run"] for step in rendered[0].jobs["audit"]["steps"] if "run" in step)
    return project.run(*command.split(), "--service-url", service)


def test_audit(
    rendered: list[Workflow],
    audited: GeneratedProject,
    advisories: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The job passes only where the service was asked and knows nothing."""
    monkeypatch.setattr(Advisories, "known", False, raising=False)
    assert "no known vulnerabilities" in audit(rendered, audited, advisories)
    monkeypatch.setattr(Advisories, "known", True)
    with pytest.raises(CommandError, match="TEST-1"):
        audit(rendered, audited, advisories)


def test_audit_that_cannot_ask(
    rendered: list[Workflow], audited: GeneratedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experimental command that finds nobody to ask does not pass."""
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(CommandError, match="error"):
        audit(rendered, audited, "http://127.0.0.1:9")
