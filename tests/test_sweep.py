"""What passed is remembered with all that it can depend on, and nothing else."""

import os
from argparse import ArgumentTypeError
from dataclasses import replace
from pathlib import Path

import pytest

from plinth.harness.closures import ONCE, STATED, Closures, is_test_module
from plinth.harness.hints import Hints
from plinth.harness.memory import FORGET, Memory
from plinth.harness.programs import Program, Programs
from plinth.harness.results import ModuleResults
from plinth.harness.runner import Outcome, Runner
from plinth.harness.servers import Servers
from plinth.harness.source import REPOSITORY
from plinth.harness.survey import Survey
from tools.programs import Workshop
from tools.sweep import shard

HINTS = Hints.read(REPOSITORY)
# A service in small: one module of tests asks for the application, the others do not.
SMALL = {
    "pyproject.toml": '[project]\nname = "small"\nversion = "1"\n[tool.pytest]\n'
    '[tool.alembic]\nscript_location = "migrations"\n',
    "migrations/env.py": "import pkgutil\nimport app\n\nfor module in pkgutil.walk_packages("
    'app.__path__):\n    module.name.endswith(".models")\n',
    "src/app/__init__.py": "",
    "src/app/main.py": "from app.items import router\n\n\ndef create_app():\n    return router\n",
    "src/app/items.py": "from app.users.models import User\n\nrouter = User\n",
    "src/app/sums.py": "def add(first, second):\n    return first + second\n",
    "src/app/users/__init__.py": "",
    "src/app/users/models.py": "class User: ...\n",
    "src/app/listening.py": "LISTENING = False\n",
    "tests/conftest.py": "import pytest\nfrom app.main import create_app\n"
    "from tests.plain import url\n\n\n@pytest.fixture\ndef app():\n    return create_app()\n\n\n"
    "@pytest.fixture\ndef database():\n    return url\n",
    "tests/plain.py": 'url = "pyproject.toml"\n',
    "tests/sums/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n",
    "tests/sums/test_sums.py": "from app.sums import add\n\n\ndef test(one):\n"
    "    assert add(one, 1)\n",
    "tests/test_app.py": "def test(app):\n    assert app\n",
    "tests/test_database.py": "def test(database):\n    assert database\n",
    "tests/test_all.py": "from pathlib import Path\n\n\ndef test():\n    [*Path().iterdir()]\n",
}
ALL = {"tests/test_all.py"}
SUMS, APP, DATABASE = "tests/sums/test_sums.py", "tests/test_app.py", "tests/test_database.py"


@pytest.fixture
def results(survey: Survey, tmp_path: Path) -> ModuleResults:
    """Return an empty memory of modules."""
    return ModuleResults(survey, HINTS, Memory(tmp_path / "modules.jsonl"))


def program(**changes: str) -> Program:
    """Return the small program, with other files."""
    tree = {**SMALL, **{path.replace("__", "/"): text for path, text in changes.items()}}
    return Program(str(hash(tuple(tree.items()))), {}, tree)


def outcome(of: Program, *failed: str, status: int = 0) -> Outcome:
    """Return how a program's tests ended."""
    modules = dict.fromkeys([SUMS, APP], 3)
    return Outcome(
        program=of,
        status=status,
        tests=6,
        failed=failed,
        asserted=[],
        skipped=[],
        modules=modules,
        core=1.0,
        overhead=0.1,
        seconds=1.0,
        log="",
    )


def test_remembers_by_content(tmp_path: Path) -> None:
    """What passed is known to the next run, but for one that forgets."""
    file = tmp_path / "results" / "results.jsonl"
    memory = Memory(file)
    assert "first" not in memory
    memory.add("first", tests=3)
    again = Memory(file)
    assert "first" in again
    assert again.recall("first")["tests"] == 3
    assert "second" not in again
    assert "first" not in Memory(file, forget=True)


def test_survives_a_kill(tmp_path: Path) -> None:
    """A line that was cut off counts for nothing, and does not spoil the next one."""
    file = tmp_path / "results.jsonl"
    memory = Memory(file)
    memory.add("first")
    memory.add("second")
    file.write_text(file.read_text("utf-8")[:-10], "utf-8")
    again = Memory(file)
    assert "first" in again
    assert "second" not in again
    again.add("second")
    assert {"first", "second"} == {key for key in ("first", "second") if key in Memory(file)}


def test_forgets_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--forget` also reaches processes that a command starts."""
    key = f"test-{os.getpid()}"
    memory = Memory.of("tests")
    memory.add(key)
    assert key in Memory.of("tests")
    monkeypatch.setenv(FORGET, "1")
    assert key not in Memory.of("tests")


@pytest.mark.parametrize(
    ("path", "text", "changed"),
    [
        ("src/app/sums.py", "def add(first, second):\n    return second + first\n", {SUMS}),
        ("src/app/items.py", "router = None\n", {APP}),
        # Migrations import models; main.py imports them, too.
        ("src/app/users/models.py", "class User:\n    name = 1\n", {APP, DATABASE}),
        ("migrations/env.py", "import app\n", {DATABASE}),
        ("tests/plain.py", 'url = "other.toml"\n', {DATABASE}),
        ("tests/sums/conftest.py", "import pytest\n", {SUMS}),
        ("tests/test_app.py", "def test(app):\n    assert app.state\n", {APP}),
        # What each of them may see.
        ("tests/conftest.py", SMALL["tests/conftest.py"] + "\nMORE = 1\n", {SUMS, APP, DATABASE}),
        ("src/app/listening.py", "import signal\nsignal.alarm(0)\n", {SUMS, APP, DATABASE}),
        ("src/app/listening.py", "LISTENING = True\n", set[str]()),
    ],
)
def test_runs_again_what_a_change_can_touch(
    results: ModuleResults, path: str, text: str, changed: set[str]
) -> None:
    """The modules whose tests can import or read the file, and no others."""
    before, after = results.keys(program()), results.keys(program(**{path: text}))
    assert before.keys() == {SUMS, APP, DATABASE, *ALL}
    assert {module for module, key in after.items() if key != before[module]} == {*changed, *ALL}


def test_follows_what_is_left_in_objects_of_others() -> None:
    """A class that derives from a registry, and a function that is registered, are known to it."""
    tree = {
        **SMALL,
        "src/app/base.py": "from sqlalchemy.orm import DeclarativeBase\n\n\n"
        "class Base(DeclarativeBase): ...\n\n\ndef task(function): ...\n",
        "src/app/tables.py": "from app.base import Base\n\n\nclass Table(Base): ...\n",
        "src/app/tasks.py": "from app.base import task\n\n\n@task\ndef work(): ...\n",
        "tests/test_base.py": "from app.base import Base\n\n\ndef test():\n    assert Base\n",
        "tests/test_task.py": "from app.base import task\n\n\ndef test():\n    assert task\n",
    }
    closures = Closures(tree)
    assert closures.of("tests/test_base.py") == {
        *("src/app/__init__.py", "src/app/base.py", "src/app/tables.py"),
        *("tests/conftest.py", "tests/test_base.py"),
    }
    assert "src/app/tasks.py" in (closures.of("tests/test_task.py") or ())


def test_automatic_fixtures_and_hooks_touch_every_test() -> None:
    """An automatic fixture those beside and below, a hook of pytest all."""
    automatic = (
        "import pytest\nfrom app.sums import add\n\n\n"
        "@pytest.fixture(autouse=True)\ndef sums():\n    return add\n"
    )
    hook = "from app.sums import add\n\n\ndef pytest_configure():\n    add(1, 1)\n"
    for text, others in ((automatic, False), (hook, True)):
        closures = Closures({**SMALL, "tests/sums/conftest.py": text})
        assert ("src/app/sums.py" in (closures.of(APP) or ())) is others
        assert "src/app/sums.py" in (closures.of(SUMS) or ())


def test_a_module_may_state_its_closure(results: ModuleResults) -> None:
    """It is what the module names: a change of anything else leaves its result."""
    stated = "# Depends on: src/app/users/ src/app/sums.py\n\n\ndef test(app): ...\n"
    first = program(**{APP: stated})
    assert Closures(first.tree).of(APP) == {
        *("src/app/sums.py", "src/app/users/__init__.py", "src/app/users/models.py", APP)
    }
    before = results.keys(first)
    for path, touched in (("src/app/items.py", False), ("src/app/sums.py", True)):
        after = results.keys(program(**{APP: stated, path: "LATER = True\n"}))
        assert (after[APP] != before[APP]) is touched


def test_stated_files_exist(survey: Survey) -> None:
    """A file that was renamed would leave a test that no change runs again."""
    paths = survey.renderer.sources
    texts = {path: text for tree in survey.trees for path, text in tree.items()}
    stated = {path: " ".join(STATED.findall(text)).split() for path, text in texts.items()}
    found = {path: words for path, words in stated.items() if words}
    assert found
    for module, words in found.items():
        assert is_test_module(module)
        for word in words:
            assert any(path.startswith(word) for path in paths), f"{module}: {word}"


def test_a_dear_module_runs_once_for_the_answers_that_it_names(results: ModuleResults) -> None:
    """On every change; another run leaves nothing out, and what is left out is told."""
    named = {SUMS: "# On every change, once for: colour size\n" + SMALL[SUMS]}
    programs = [
        replace(program(**named, src__app__sums=str(number)), answers={"colour": c, "size": s})
        for number, (c, s) in enumerate([("red", 1), ("red", 2), ("red", 1), ("blue", 1)])
    ]
    trees = [{**p.tree, "src/app/sums.py": p.key} for p in programs]
    programs = [replace(p, tree=tree) for p, tree in zip(programs, trees, strict=True)]
    brief = [*results.plan(programs, brief=True)]
    assert [SUMS in task.modules for task in brief] == [True, True, False, True]
    assert [[*task.left] for task in brief] == [[], [], [SUMS], []]
    assert all(SUMS in task.modules for task in results.plan(programs))
    assert not any(task.left for task in results.plan(programs))


def test_questions_named_by_modules_exist(survey: Survey) -> None:
    """A question that was renamed would stop the array."""
    texts = {path: text for tree in survey.trees for path, text in tree.items()}
    named = {path: " ".join(ONCE.findall(text)).split() for path, text in texts.items()}
    assert any(named.values())
    for module, questions in named.items():
        assert not questions or is_test_module(module)
        assert {*questions} <= {*survey.space.factors()}, module


def test_keeps_modules_that_passed(results: ModuleResults) -> None:
    """Of a program that fails the modules that do not; each result is wanted once."""
    first, second = program(), program(**{"src/app/items.py": "router = None\n"})
    tasks = [*results.plan([first, second])]
    assert {*tasks[0].modules} == {SUMS, APP, DATABASE, *ALL}
    assert {*tasks[1].modules} == {APP, *ALL}
    results.add(tasks[0], outcome(first, f"{APP}::test", status=1))
    (again,) = results.plan([first])
    assert {*again.modules} == {APP, DATABASE, *ALL}
    assert results.tests(again) == 3
    results.add(again, replace(outcome(first), status=-9))
    assert APP in next(iter(results.plan([first]))).modules


def test_a_fault_that_one_program_shows_is_found(survey: Survey, tmp_path: Path) -> None:
    """Real programs: what passed is not run again; a fault runs what can see it, and fails."""
    programs = Programs(survey)
    answers = {**survey.least, "database": "sqlite", "database_driver": "aiosqlite"}
    good = programs.of(answers)
    folder = "tests/machinery/always"
    chosen = [f"{folder}/test_logging.py", f"{folder}/test_preconditions.py"]
    small = {p: text for p, text in good.tree.items() if p in chosen or "/test_" not in p}
    good = replace(good, tree=small)
    results = ModuleResults(survey, HINTS, Memory(tmp_path / "modules.jsonl"))
    with Runner.started(programs, 1, HINTS) as runner:
        shop = Workshop(survey, programs, runner, Servers(), results)
        first = shop.course([good])
        assert all(run.passed for run in shop.run(first))
        assert first.todo == len(chosen)
        assert shop.course([good]).todo == 0
        path = chosen[0]
        closures = Closures(small)
        touched = {module for module in chosen if path in (closures.of(module) or {path})}
        assert len(touched) < len(chosen)
        wrong = {**small, path: small[path] + "\n\ndef test_wrong() -> None:\n    raise OSError\n"}
        second = shop.course([replace(good, key="other", tree=wrong)])
        assert [{*task.modules} for task in second.tasks] == [touched]
        assert [run.failed for run in shop.run(second)] == [[f"{path}::test_wrong"]]
        (again,) = shop.course([replace(good, key="other", tree=wrong)]).tasks
        assert again.modules == [path]


def test_programs_are_told_apart(survey: Survey) -> None:
    """A licence makes no other program; a driver does, and so does a part."""
    programs = Programs(survey)
    base = survey.least

    def key(**changes: str | bool) -> str:
        return programs.of({**base, **changes}).key

    assert key(license="MIT") == key(license="proprietary")
    assert key(type_checker="mypy", pre_commit=True) == key(type_checker="ty", pre_commit=False)
    assert key(database_driver="psycopg") != key(database_driver="asyncpg")
    assert key(auth="none") != key(auth="jwt")
    assert {"auth", "database_driver", "tasks"} <= programs.decisive
    assert programs.decisive.isdisjoint({"license", "deploy", "ci"})


def test_all_programs_are_distinct(survey: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of three questions: `make sweep` renders all, which takes most of a minute."""
    programs = Programs(survey)
    asked = {"auth", "database", "database_driver"}
    monkeypatch.setitem(vars(programs), "decisive", {*asked, "license"})
    keys = [program.key for program in programs.all()]
    assert len({*keys}) == len(keys)
    expected = [
        programs.of(survey.space.choose(answers).completed(survey.least)).key
        for answers in survey.space.combinations(only=asked)
    ]
    assert {*keys} == {*expected}


@pytest.mark.parametrize("text", ["0/8", "9/8", "1", "a/b", "1/0", "-1/2"])
def test_refuses_what_is_no_shard(text: str) -> None:
    """One sentence says what a shard is."""
    with pytest.raises(ArgumentTypeError, match="is no shard: 1/8 is the first of eight"):
        shard(text)
    assert shard("2/8") == (2, 8)
