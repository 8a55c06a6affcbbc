"""What files say of the answers where no program would notice."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from plinth.harness import facts
from plinth.harness.coverage import covering_array
from plinth.harness.project import GeneratedProject
from plinth.harness.render import Reading
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from plinth.imports import module_of

Tree = Mapping[str, str]
LICENSES = REPOSITORY / "extensions" / "license"
# A command that is told to a reader, a workflow or a hook.
COMMAND = re.compile(r"\buv run (?:--only-group \S+ |--\S+ )*([a-z][\w-]*)")
FOLDERS = ["src", "tests", "migrations", "tools"]
# A target of make, and the first command of it.
RECIPE = re.compile(r"(?m)^([a-z][\w-]*):(?!=).*\n\t\S")
MODULE = re.compile(r"\bpython -m (app[\w.]*)")


@pytest.fixture(scope="module")
def trees(survey: Survey) -> list[tuple[Answers, Tree]]:
    """Return projects in which any two answers meet."""
    return [(answers, survey.renderer.tree(answers)) for answers in covering_array(survey.space)]


def project(tree: Tree) -> dict[str, Any]:
    """Return what pyproject.toml says of the project itself."""
    return tomllib.loads(tree["pyproject.toml"])["project"]


def required(tree: Tree) -> Iterator[str]:
    """Yield each distribution that a developer of the project has."""
    content = tomllib.loads(tree["pyproject.toml"])
    groups = content["dependency-groups"].values()
    for texts in (content["project"]["dependencies"], *groups):
        yield from map(facts.distribution, texts)


def test_nothing_is_said_of_texts_that_are_empty(survey: Survey) -> None:
    """Who has not said what the service does, or who is responsible, finds no empty place."""
    tree = survey.renderer.tree(survey.space.combination())
    assert not {"description", "authors"} & project(tree).keys()
    assert "summary=" not in tree["src/app/main.py"]
    title, blank, heading = tree["README.md"].splitlines()[:3]
    assert (title[:2], blank, heading[:3]) == ("# ", "", "## ")
    assert not re.search(r"(?m)^Copyright .*\d +$", tree["LICENSE"])


@pytest.mark.parametrize(
    "author", [{"name": "A Team"}, {"email": "team@example.org"}, {"name": "A", "email": "a@b.org"}]
)
def test_author_is_named_by_what_is_known(
    author: Mapping[str, str], template: Path, tmp_path: Path
) -> None:
    """Either of name and address may be missing."""
    answers = {f"author_{key}": value for key, value in author.items()}
    rendered = GeneratedProject.render(template, tmp_path / "service", answers)
    assert project(rendered.tree())["authors"] == [author]


@pytest.mark.parametrize("name", sorted(path.name for path in LICENSES.iterdir()))
def test_license_is_the_same_everywhere(survey: Survey, name: str) -> None:
    """The wording, the README, the metadata and the image's label tell of one licence."""
    tree = survey.renderer.tree({**survey.space.combination(), "license": name})
    proprietary = name == "proprietary"
    wording = (LICENSES / name).read_text("utf-8").splitlines()
    assert {line for line in wording if "{" not in line} <= {*tree["LICENSE"].splitlines()}
    assert project(tree)["license"] == ("LicenseRef-Proprietary" if proprietary else name)
    said = f"{'Proprietary' if proprietary else name}; see [LICENSE](LICENSE)."
    assert tree["README.md"].splitlines()[-1] == said
    labels = re.findall(r'image\.licenses="(.+)"', tree["Dockerfile"])
    assert labels == ([] if proprietary else [name])


def test_type_checkers_are_strict_with_everything(trees: list[tuple[Answers, Tree]]) -> None:
    """Whichever it is, it looks at all folders, for the oldest Python that is supported."""
    seen: set[str] = set()
    for answers, tree in trees:
        oldest = project(tree)["requires-python"].removeprefix(">=")
        tools = tomllib.loads(tree["pyproject.toml"])["tool"]
        checker = str(answers["type_checker"])
        match checker:
            case "pyright":
                assert tools["pyright"] == {
                    "include": FOLDERS,
                    "pythonVersion": oldest,
                    "stubPath": "typings",
                    "typeCheckingMode": "strict",
                }
            case "mypy":
                assert (
                    tools["mypy"].items()
                    >= {
                        "files": FOLDERS,
                        "plugins": ["pydantic.mypy"],
                        "python_version": oldest,
                        "strict": True,
                    }.items()
                )
            case _:
                assert tools["ty"]["environment"]["python-version"] == oldest
                assert tools["ty"]["environment"]["root"] == ["src", "."]
                assert tools["ty"]["terminal"]["error-on-warning"] is True
                assert f"ty check {' '.join(FOLDERS)}\n" in tree["Makefile"]
        seen.add(checker)
    assert seen == {"pyright", "mypy", "ty"}


def test_targets_do_something(trees: list[tuple[Answers, Tree]]) -> None:
    """Each target of make has a command, stands for no file, and runs modules that are there."""
    for _, tree in trees:
        text = tree["Makefile"]
        targets = sorted(facts.TARGET.findall(text))
        assert targets == sorted(RECIPE.findall(text))
        assert targets == sorted(" ".join(re.findall(r"(?m)^\.PHONY: (.+)$", text)).split())
        modules = {module_of(path) for path in tree if path.endswith(".py")}
        assert {*MODULE.findall(text)} <= modules


def test_every_paragraph_is_for_someone(survey: Survey) -> None:
    """What extensions have to say stands in the documents of some project."""
    said = "\n".join(unit.text for unit in survey.units)
    for file in (REPOSITORY / "extensions").rglob("*.md"):
        for line in file.read_text("utf-8").splitlines():
            assert "{" in line or line in said, file


def services(tree: Tree) -> dict[str, Any]:
    """Return the services of compose.yaml; none where there is no such file."""
    return yaml.safe_load(tree["compose.yaml"])["services"] if "compose.yaml" in tree else {}


def test_database_knows_whom_the_service_connects_as(trees: list[tuple[Answers, Tree]]) -> None:
    """Name, user and password of the database are those that the service has."""
    composed = [found for _, tree in trees if "database" in (found := services(tree))]
    assert composed
    for found in composed:
        told: dict[str, str] = found["service"]["environment"]
        url = urlsplit(told["APP_DATABASE_URL"])
        given = {name.partition("_")[2]: v for name, v in found["database"]["environment"].items()}
        given["DB"] = given.pop("DATABASE", given.get("DB"))
        given.pop("RANDOM_ROOT_PASSWORD", None)
        password = told.get("PGPASSWORD") or url.password
        assert given == {"DB": url.path[1:], "USER": url.username, "PASSWORD": password}
        assert url.hostname == "database"


def test_service_is_told_where_the_others_are(trees: list[tuple[Answers, Tree]]) -> None:
    """Each server that Compose starts, and each setting that is an address, belong together."""
    for _, tree in trees:
        if not (found := services(tree)):
            continue
        told: dict[str, str] = found["service"]["environment"]
        addresses = {name: value for name, value in told.items() if name.endswith("_URL")}
        settings = {s for s in facts.EXAMPLE.findall(tree[".env.example"]) if s.endswith("_URL")}
        # Left empty, it is that of the database.
        assert addresses.keys() == settings - {"APP_OUTBOX_LISTEN_URL"}
        urls = [value if "://" in value else f"//{value}" for value in addresses.values()]
        own = found["service"]["image"]
        servers = {name for name, each in found.items() if each["image"] != own}
        assert {urlsplit(url).hostname for url in urls} - {None, ""} == servers


def test_brokers_keep_tasks(survey: Survey) -> None:
    """What is sent is on a volume, and the broker is where and as the service looks for it."""
    [composed] = [bodies for bodies in survey.bodies if bodies.path == "compose.yaml"]
    seen: set[str] = set()
    for text in composed.found:
        broker = str(text.answers["broker"])
        if broker == "none":
            continue
        seen.add(broker)
        found = services({"compose.yaml": text.result})
        address: str = found["service"]["environment"]["APP_TASKS_BROKER_URL"]
        keeper = found[broker]
        [volume] = keeper["volumes"]
        folder = volume.removeprefix(f"{broker}:")
        command, told = " ".join(keeper.get("command", ())), keeper.get("environment", {})
        if broker == "redis":
            assert "--appendonly yes" in command
            assert "allkeys" not in command
            assert folder == "/data", "where the image has its data"
        elif broker == "nats":
            assert f"--jetstream --store_dir {folder} " in command
        elif broker == "rabbitmq":
            url = urlsplit(address)
            assert (told["RABBITMQ_DEFAULT_USER"], url.username) == ("app", "app")
            assert told["RABBITMQ_DEFAULT_PASS"] == url.password
            assert keeper["hostname"], "it is part of where the data are"
        else:
            assert told["KAFKA_LOG_DIRS"] == folder
            assert told["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{address}"
    assert seen == {"redis", "rabbitmq", "nats", "kafka"}


def test_health_checks_are_patient_at_first(trees: list[tuple[Answers, Tree]]) -> None:
    """What starts slowly is asked often and given time; later it is asked seldom."""
    checks = [
        service["healthcheck"]
        for _, tree in trees
        for service in services(tree).values()
        if "test" in service.get("healthcheck", {})
    ]
    assert checks
    times = {"test", "interval", "timeout", "start_period", "start_interval"}
    assert all(check.keys() == times for check in checks)


def test_advice_is_given_for_each_part(survey: Survey, trees: list[tuple[Answers, Tree]]) -> None:
    """AGENTS.md has what each part that is on has to say."""
    advice = {
        part: text
        for part in survey.renderer.conditions
        if (text := survey.renderer.share(part, "agents.md"))
    }
    assert advice
    for answers, tree in trees:
        reading = Reading(survey.renderer, answers)
        for part, text in advice.items():
            assert (text in tree["AGENTS.md"]) == reading.part(part)


def test_commands_are_there(survey: Survey, trees: list[tuple[Answers, Tree]]) -> None:
    """What is to be run by uv comes with a distribution that the project requires."""
    for _, tree in trees:
        names = {*required(tree)}
        # Of a program that is not written in Python only the name is known.
        scripts = names.union(*(survey.distributions[name].scripts for name in names))
        said = {
            command
            for path, text in tree.items()
            if PurePosixPath(path).suffix != ".py"
            for command in COMMAND.findall(text)
        }
        assert said - {"python"} <= scripts
        assert said


def test_advice_says_where_a_router_is_registered(trees: list[tuple[Answers, Tree]]) -> None:
    """AGENTS.md names the function and its file, and the call works there."""
    told = re.compile(
        r"router is registered in `(\w+)` in `([\w/.]+)`:\s+`app\.include_router\(router, "
    )
    for _, tree in trees:
        [(function, path)] = told.findall(tree["AGENTS.md"])
        assert f"\ndef {function}(" in tree[path]
