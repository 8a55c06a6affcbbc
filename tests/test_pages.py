"""Pages of the docs: each block of code is checked, each command, file and setting exists."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import copier
import pytest

from plinth.domain.domain import plan
from plinth.harness.command import git
from plinth.harness.pages import Page, Project, read_pages
from plinth.harness.render import Renderer
from plinth.harness.source import REPOSITORY
from plinth.harness.space import parse
from plinth.harness.survey import Survey
from plinth.harness.terminal import Terminal, problems
from plinth.service import Service

PAGES = read_pages(REPOSITORY)


class Bench:
    """Services of some answers, each rendered once; pages are laid over copies."""

    def __init__(self, renderer: Renderer, published: Path, scratch: Path) -> None:
        self.renderer = renderer
        self._published = published
        self._scratch = scratch
        self._domains: dict[str, Mapping[str, str]] = {}

    def terminal(self, page: Page) -> Terminal:
        """Return where the commands of a page are typed."""
        answers = parse(self.renderer.space, (page.project or "preset=full").split())
        tree = {**self.renderer.tree(answers), **self._domain(page)}
        own = [] if page.project else [(REPOSITORY / "Makefile").read_text("utf-8")]
        makefiles = [tree["Makefile"], *own]
        return Terminal(Project(tree), self.renderer.space, makefiles, REPOSITORY)

    def _domain(self, page: Page) -> Mapping[str, str]:
        """Return what `plinth domain` writes for a page; no command is run."""
        if not page.domain:
            return {}
        key = " ".join(page.domain)
        if key not in self._domains:
            folder = self._scratch / str(len(self._domains))
            data = dict(word.split("=") for word in (page.project or "").split())
            copier.run_copy(str(self._published), folder, data, defaults=True, quiet=True)
            git(folder, "init", "--quiet")
            git(folder, "add", "--all")
            git(folder, "commit", "--quiet", "--message", "Start")
            found = plan(Service.found(folder, ""), page.domain[0], page.domain[1:])
            files = {**found.new, **found.changed}
            self._domains[key] = {path: text.decode() for path, text in files.items()}
        return self._domains[key]


@pytest.fixture(scope="module")
def bench(survey: Survey, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return the services that pages are about."""
    return Bench(survey.renderer, published, tmp_path_factory.mktemp("services"))


def test_pages_are_true(bench: Bench, record_property: Callable[[str, object], None]) -> None:
    """Nothing is wrong in any page; the closing line counts what was checked."""
    found = [told for page in PAGES for told in problems(page, bench.terminal(page))]
    assert not found, "\n".join(found)
    record_property("code blocks of docs", sum(len([*page.blocks()]) for page in PAGES))
    record_property("commands of docs", sum(len([*page.commands()]) for page in PAGES))


TUTORIAL = "docs/tutorial.md"
SETTING = "docs/how-to/add-a-setting.md"
# A mistake in a page: where, the text that it takes the place of, the mistake, what is said of it.
SEEDS: Mapping[str, tuple[str, str, str, str]] = {
    "target of make": (TUTORIAL, "$ make check", "$ make chekc", "there is no target chekc"),
    "variable of make": (
        TUTORIAL,
        "$ make migration m=",
        "$ make migration message=",
        "make migration does not use message",
    ),
    "command of plinth": (TUTORIAL, "plinth domain", "plinth domian", "plinth has no domian"),
    "type of a field": (
        TUTORIAL,
        "plinth domain invoices number:line",
        "plinth domain invoices number:lines",
        "lines",
    ),
    "option of an update": (
        "docs/how-to/remove-a-part.md",
        "cache=none --dry-run",
        "cache=none --rehearse",
        "plinth update has no --rehearse",
    ),
    "answer": (
        "docs/how-to/use-another-database.md",
        "database=sqlite",
        "database=oracle",
        "database=oracle is not among database=postgresql, database=mysql, database=sqlite",
    ),
    "question": ("docs/queues.md", "--data tasks=", "--data queue=", "there is no question queue"),
    "option of copier": (TUTORIAL, "copy --defaults", "copy --default-all", "has no --default-all"),
    "option of docker": (TUTORIAL, "up --build", "up --biuld", "docker compose up has no --biuld"),
    "route": (TUTORIAL, "8000/auth/token", "8000/auth/tokens", "there is no route /auth/tokens"),
    "file of a test run": (TUTORIAL, "pytest tests/invoices", "pytest tests/bills", "tests/bills"),
    "file that is named": (
        TUTORIAL,
        "`src/app/invoices/router.py`",
        "`src/app/invoices/routes.py`",
        "names src/app/invoices/routes.py, which is not there",
    ),
    "setting that is named": (
        "docs/explanation/security.md",
        "`APP_DOCS=true`",
        "`APP_DOC=true`",
        "names APP_DOC, no setting",
    ),
    "syntax of Python": (SETTING, "class BillingSettings(", "class BillingSettings((", "no python"),
    "Python without a place": (SETTING, "# src/app/billing/config.py\n", "", "the path of a file"),
    "Python in the place of a file": (
        SETTING,
        "# src/app/billing/config.py",
        "# src/app/users/config.py",
        "would replace src/app/users/config.py",
    ),
    "change of a file that is not there": (
        SETTING,
        "+++ src/app/main.py",
        "+++ src/app/application.py",
        "changes src/app/application.py, which is not there",
    ),
    "change of a line that is not there": (
        SETTING,
        "     app.state.database = ",
        "     app.state.databases = ",
        "does not change src/app/main.py in exactly one place",
    ),
    "yaml": ("docs/adding-an-extension.md", "  type: str\n", "  type: [str\n", "is no yaml"),
    "language": (TUTORIAL, "```console\n$ make run", "```bash\n$ make run", "which nothing checks"),
}


@pytest.mark.parametrize("name", SEEDS)
def test_mistake_is_found(bench: Bench, name: str) -> None:
    """The mistake is told, and nothing else is wrong but what follows from it."""
    path, before, after, told = SEEDS[name]
    [page] = [page for page in PAGES if page.path == path]
    assert before in page.text
    seeded = Page(path, page.text.replace(before, after, 1))
    found = [*problems(seeded, bench.terminal(page))]
    assert any(told in sentence for sentence in found), found
    assert all(sentence.startswith(path) for sentence in found)


WRONG = "number: int = 'one'\n"


def test_python_has_the_right_types(bench: Bench, survey: Survey, tmp_path: Path) -> None:
    """What pages write or change is checked as strictly as a service's own code, all together."""
    tree = dict(survey.renderer.tree(parse(survey.space, ["preset=full"])))
    touched = {"src/app/wrong.py"}
    for preset in ("preset=standard", "preset=full"):
        for page in (page for page in PAGES if page.project == preset):
            terminal = bench.terminal(page)
            if preset == "preset=full":
                terminal.project = Project(tree)
            assert not [*problems(page, terminal)]
            laid = terminal.project
            python = {path for path in laid.touched if path.endswith(".py")}
            own = {path for path in laid.tree if "invoices" in path}
            tree |= {path: laid.tree[path] for path in python | own if path not in tree}
            touched |= {path for path in python if tree[path] == laid.tree[path]}
    tree["src/app/wrong.py"] = WRONG
    found = pyright(tmp_path, survey, tree, touched)
    assert len(touched) > 10
    [(path, message)] = found
    assert path == "src/app/wrong.py"
    assert 'is not assignable to declared type "int"' in message


def pyright(
    folder: Path, survey: Survey, tree: Mapping[str, str], paths: set[str]
) -> Sequence[tuple[str, str]]:
    """Return what pyright finds in some files of a service, in its strict mode."""
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    rules = {"include": sorted(paths), "extraPaths": ["src"], "typeCheckingMode": "strict"}
    (folder / "pyrightconfig.json").write_text(json.dumps(rules), "utf-8")
    python = survey.environment(parse(survey.space, ["preset=full"])).python
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "-p", folder, "--pythonpath", python, "--outputjson"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] == len(paths)
    return [
        (Path(each["file"]).relative_to(folder.resolve()).as_posix(), each["message"])
        for each in told["generalDiagnostics"]
        if each["severity"] == "error"
    ]
