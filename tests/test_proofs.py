"""Each answer has a proof, and here are those tests that proofs want; `make proofs` tries them."""

import ast
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2
import pytest
import yaml

from plinth.harness import command, linters
from plinth.harness.hints import Hints
from plinth.harness.project import CommandError, GeneratedProject, clean_environment
from plinth.harness.proofs import Proof, ProofError, run_tests
from plinth.harness.render import Renderer
from plinth.harness.servers import free_port
from plinth.harness.source import REPOSITORY
from plinth.harness.space import AnswerSpace, argument
from tools.server import Server

TABLE = [*Proof.read(Hints.read(REPOSITORY))]
LICENSES = REPOSITORY / "extensions" / "license"
# How each type checker calls a function that returns something else than it says.
WRONG = '"""Wrong."""\n\n\ndef count() -> int:\n    """Count."""\n    return "three"\n'
FINDINGS: Mapping[str, str] = {
    "pyright": r"error: .*\n.*\(reportReturnType\)",
    "mypy": r"error: .*\[return-value\]",
    "ty": r"error\[invalid-\S*return",
}
ONE_FINDING: Mapping[str, str] = {
    "pyright": r"\n1 error, 0 warnings",
    "mypy": r"Found 1 error in 1 file",
    "ty": r"Found 1 diagnostic\b",
}

PROOF = Proof(
    question="colour",
    answer="red",
    path="src/app/colour.py",
    before="paint(red)",
    after="pass",
    test="tests/colour/test_red.py::test_red",
    related=["tests/test_wall.py"],
)
TEST_OF_TESTS = """
import pytest

@pytest.fixture
def broken():
    assert not "set up"

def test_passes(): pass
def test_asserts(): assert not 1
def test_wants_an_error():
    with pytest.raises(ValueError): pass
def test_raises(): raise RuntimeError
def test_imports(): import nothing.at_all
def test_runs():
    class CommandError(AssertionError): pass
    raise CommandError
def test_has_no_fixture(broken): pass
"""


def test_every_answer_has_a_proof(space: AnswerSpace) -> None:
    """The table names each value of each question, and says why where no program tells it."""
    values = [(name, value) for name, values in space.factors().items() for value in values]
    proved = {(proof.question, proof.answer) for proof in TABLE}
    wrong = [
        f"{argument(name, value)} has no [[proof]]: add one to the harness.toml of its part"
        for name, value in values
        if (name, value) not in proved
    ]
    wrong += [f"{proof}: no such answer" for proof in proved if proof not in values]
    assert not wrong, "\n".join(wrong)
    for proof in TABLE:
        assert bool(proof.test) != bool(proof.by), proof
        assert bool(proof.by) == bool(proof.reason), proof


def test_proofs_by_projects(template: Path) -> None:
    """The project has the test, and the change has a place in it and leaves it Python."""
    renderer = Renderer(template)
    for proof in [proof for proof in TABLE if proof.test]:
        tree = renderer.tree(proof.combination(renderer.space), machinery=True)
        file, _, name = proof.test.partition("::")
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        defined = [n.name for n in ast.parse(tree[file]).body if isinstance(n, functions)]
        assert name.partition("[")[0] in defined, proof
        ast.parse(proof.neutralise(tree)[proof.path])
        assert not [path for path in proof.related if path not in tree], proof


def test_proofs_by_this_repository(template: Path, space: AnswerSpace) -> None:
    """The repository has the test, the change has a place in the template, the answers go."""
    proofs = [proof for proof in TABLE if proof.by]
    for proof in proofs:
        proof.combination(space)
        proof.neutralise({proof.path: (template / proof.path).read_text("utf-8")})
    named = {proof.by for proof in proofs}
    done = command.pytest(REPOSITORY, "--collect-only", *named)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "after", "said"),
    [
        ("paint(blue)", "pass", "has 0 times"),
        ("paint(red), paint(red)", "pass", "has 2 times"),
        ("paint(red)", "paint(red)", "nothing changes"),
    ],
)
def test_no_change(text: str, after: str, said: str) -> None:
    """A change that is none, or has no clear place, is refused."""
    proof = Proof("colour", "red", PROOF.path, PROOF.before, after)
    with pytest.raises(ProofError, match=said):
        proof.neutralise({PROOF.path: text})


def test_answer_that_is_none(space: AnswerSpace) -> None:
    """What cannot be chosen cannot be proved."""
    with pytest.raises(ProofError, match="do not go together"):
        Proof("ci", "gitlab", "", "", "").combination(space)


OTHER = "tests/test_door.py::test_door"


@pytest.mark.parametrize(
    ("status", "failed", "asserted", "said"),
    [
        (0, [], [], "does not fail"),
        (1, [OTHER], [OTHER], "does not fail"),
        (1, [PROOF.test], [], "not by an assertion of its own"),
        (1, [PROOF.test, f"{PROOF.test}[1]"], [PROOF.test], "not by an assertion of its own"),
        (1, [PROOF.test, OTHER], [PROOF.test, OTHER], "unrelated tests fail"),
        (2, [], [], "did not run"),
        (-9, [PROOF.test], [PROOF.test], "did not run"),
    ],
)
def test_no_proof(status: int, failed: Sequence[str], asserted: Sequence[str], said: str) -> None:
    """What fails for another reason, or not at all, proves nothing."""
    with pytest.raises(ProofError, match=said):
        PROOF.check(status, failed, asserted)


def test_proof() -> None:
    """The test fails by its own assertion; beside it those may fail that have to do with it."""
    related = ["tests/colour/test_blue.py::test_blue", "tests/test_wall.py::test_wall"]
    PROOF.check(1, [f"{PROOF.test}[1]", *related], [f"{PROOF.test}[1]"])


def test_assertions_are_told_from_other_failures(tmp_path: Path) -> None:
    """Only what a test itself asserts counts: no error, and nothing of a fixture."""
    (tmp_path / "test_it.py").write_text(TEST_OF_TESTS, "utf-8")
    told = run_tests(tmp_path, tmp_path / "log", "test_it.py")
    names = ("asserts", "wants_an_error", "raises", "imports", "runs", "has_no_fixture")
    failed = [f"test_it.py::test_{name}" for name in names]
    assert (told["status"], told["tests"], told["failed"]) == (1, 1, failed)
    assert told["asserted"] == failed[:2]
    told = run_tests(tmp_path, tmp_path / "log", "test_it.py::test_nothing")
    assert (told["status"], told["failed"]) == (4, [])


@pytest.mark.parametrize("checker", FINDINGS)
def test_type_checker(checker: str, template: Path, tmp_path: Path) -> None:
    """`make check` fails by this checker's finding, the only one, once a type is wrong.

    That it passes otherwise is tested with the installations, which have each checker.
    """
    answers = {"preset": "custom", "type_checker": checker}
    project = GeneratedProject.render(template, tmp_path / "service", answers)
    project.run("git", "init", "--quiet")
    project.sync()
    (project.path / "src" / "app" / "wrong.py").write_text(WRONG, "utf-8")
    with pytest.raises(CommandError) as error:
        project.check()
    assert re.search(FINDINGS[checker], str(error.value)), error.value
    assert re.search(ONE_FINDING[checker], str(error.value)), error.value


@pytest.mark.parametrize("server", ["uvicorn", "granian"])
def test_server(server: str, template: Path, tmp_path: Path) -> None:
    """What `make run` starts calls itself by the name that was chosen, and the image starts it."""
    answers = {"preset": "custom", "server": server, "container": True}
    project = GeneratedProject.render(template, tmp_path / "service", answers)
    assert f'CMD ["{server}"' in (project.path / "Dockerfile").read_text("utf-8")
    project.sync()
    with Server(project.path, free_port(), clean_environment()) as running:
        running.wait_until_ready()
        assert httpx2.get(f"{running.url}/livez").headers["server"] == server
        assert scheme_behind_a_proxy(running) == "https"
    stranger = clean_environment() | {"FORWARDED_ALLOW_IPS": "10.0.0.0/8"}
    with Server(project.path, free_port(), stranger) as running:
        running.wait_until_ready()
        assert scheme_behind_a_proxy(running) == "http"


def scheme_behind_a_proxy(running: Server) -> str:
    """Return the scheme of a redirect, where a proxy says that its client came by HTTPS."""
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    redirect = httpx2.get(f"{running.url}/livez/", headers=headers)
    return httpx2.URL(redirect.headers["location"]).scheme


@pytest.mark.parametrize("name", sorted(path.name for path in LICENSES.iterdir()))
def test_license(name: str, template: Path, tmp_path: Path) -> None:
    """The project has the wording of its licence, and says in its metadata which it is."""
    project = GeneratedProject.render(template, tmp_path / "service", {"license": name})
    wording = (LICENSES / name).read_text("utf-8").splitlines()
    there = (project.path / "LICENSE").read_text("utf-8").splitlines()
    assert {line for line in wording if "{" not in line} <= {*there}
    metadata = tomllib.loads((project.path / "pyproject.toml").read_text("utf-8"))["project"]
    assert metadata["license"].removeprefix("LicenseRef-").lower() == name.lower()


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_python_of_the_image(version: str, template: Path, tmp_path: Path) -> None:
    """The image and development have the Python that was chosen."""
    answers = {"preset": "custom", "python_version": version}
    project = GeneratedProject.render(template, tmp_path / "service", answers)
    images = re.findall(r"(?m)^FROM (\S+)", (project.path / "Dockerfile").read_text("utf-8"))
    assert images[0].startswith(f"python:{version}-")
    assert (project.path / ".python-version").read_text("utf-8") == f"{version}\n"


def test_workflow_checks_and_tests(template: Path, tmp_path: Path) -> None:
    """Every push to main and every pull request runs the checks and the tests."""
    project = GeneratedProject.render(template, tmp_path / "service", {"ci": "github"})
    workflow = project.path / ".github" / "workflows" / "ci.yaml"
    # YAML's first version reads the key `on` as a truth value.
    assert {"push", "pull_request"} <= yaml.safe_load(workflow.read_text("utf-8"))[True].keys()
    assert {"make check", "make test"} <= {*linters.run_steps(workflow)}
