"""`plinth domain`: what it writes and refuses, and that its model is the template's example."""

import difflib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import copier
import pytest

from plinth.domain import fields
from plinth.domain.domain import plan
from plinth.domain.names import Names, singular_of
from plinth.errors import Exit, StoppedError
from plinth.harness.command import git
from plinth.harness.source import VERSION
from plinth.service import Service
from tests.companion.conftest import Checkout

ITEMS = ("items", "title:line", "description:text")
SQLITE = {"database": "sqlite", "example": False}
WRITTEN = ("--no-checks", "--no-revision")


def service(template: Path, path: Path, release: str = VERSION, **answers: object) -> Checkout:
    """Copy the template for these answers, and commit."""
    data = {**SQLITE, **answers}
    copier.run_copy(str(template), path, data, defaults=True, quiet=True, vcs_ref=release)
    git(path, "init", "--quiet")
    found = Checkout(path)
    found.commit()
    return found


@pytest.fixture(scope="module")
def made(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Make a service on SQLite, with users, without the example."""
    return service(published, tmp_path_factory.mktemp("made") / "service")


@pytest.fixture
def checkout(made: Checkout, tmp_path: Path) -> Checkout:
    """Return a copy of it."""
    return Checkout(shutil.copytree(made.path, tmp_path / "service"))


def domain(checkout: Checkout, *arguments: str, code: int = Exit.UPDATED) -> Mapping[str, object]:
    """Write a domain, without its revision; fails where the command ends with another code."""
    done = checkout.plinth("domain", *arguments, *WRITTEN, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("auth", "orm", "cache"),
    [
        ("jwt", "sqlalchemy", "none"),
        ("jwt", "sqlmodel", "redis"),
        ("none", "sqlalchemy", "redis"),
        ("none", "sqlmodel", "none"),
    ],
)
def test_the_model_is_the_example(
    published: Path, tmp_path: Path, auth: str, orm: str, cache: str
) -> None:
    """Items that the command writes differ from the template's where any fields have to fit.

    A change of the example that the command does not follow is found here.
    """
    answers = {"auth": auth, "orm": orm, "cache": cache}
    example = service(published, tmp_path / "example", example=True, **answers)
    written = service(published, tmp_path / "service", **answers)
    domain(written, *ITEMS)
    package = "src/app/items"
    gone, come = differences(example, written, f"{package}/router.py")
    assert come == ["new.model_dump()"]
    assert gone == ["title=new.title, description=new.description"]
    gone, come = differences(example, written, f"{package}/models.py")
    assert (gone, come) == ([], [])
    assert example.read(f"{package}/errors.py") == written.read(f"{package}/errors.py")
    changed = difflib.ndiff(
        example.read(f"{package}/service.py").splitlines(),
        written.read(f"{package}/service.py").splitlines(),
    )
    come = [line[2:].strip() for line in changed if line.startswith("+ ")]
    assert len(come) <= 9, come


def differences(example: Checkout, written: Checkout, name: str) -> tuple[list[str], list[str]]:
    """Return what is gone from lines of a file, and what has come, without what is the same."""
    before, after = example.read(name).splitlines(), written.read(name).splitlines()
    gone: list[str] = []
    come: list[str] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            old, new = " ".join(before[i:j]), " ".join(after[k:m])
            head = len(common(old, new))
            tail = len(common(old[head:][::-1], new[head:][::-1]))
            gone.append(old[head : len(old) - tail].strip())
            come.append(new[head : len(new) - tail].strip())
    return gone, come


def common(one: str, other: str) -> str:
    """Return what both begin with."""
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return one[:length] if length is not None else min(one, other, key=len)


def test_twice_changes_nothing(checkout: Checkout) -> None:
    """Neither before nor after a commit; it says so, and has a code of its own."""
    arguments = ("invoices", "number:line", "amount:decimal?")
    assert domain(checkout, *arguments)["by_hand"] == []
    before = checkout.files()
    again = domain(checkout, *arguments, code=Exit.NOTHING_TO_DO)
    assert again["message"] == "Nothing to do: invoices is there."
    assert checkout.files() == before
    checkout.commit()
    domain(checkout, *arguments, code=Exit.NOTHING_TO_DO)
    assert checkout.files() == before


def test_registration(checkout: Checkout) -> None:
    """The router is included behind the parts, the tag is described, the layer is the highest."""
    domain(checkout, "customers", "name:line")
    checkout.commit()
    domain(checkout, "invoice_lines", "customer:reference", "text:text")
    main = checkout.read("src/app/main.py")
    call = "    app.include_router({}_router, prefix=settings.api_prefix)\n"
    parts = "    install_parts(app, settings)\n"
    assert parts + call.format("customers") + call.format("invoice_lines") in main
    layers = '    # Packages of your own.\n    "invoice_lines",\n    "customers",\n    "parts",\n'
    assert layers in checkout.read("pyproject.toml")
    tag = '{"name": "invoice-lines", "description": "Invoice lines."}'
    assert tag in checkout.read("src/app/parts.py")
    router = checkout.read("src/app/invoice_lines/router.py")
    assert 'prefix="/invoice-lines", tags=["invoice-lines"]' in router
    assert '"""Create an invoice line of mine."""' in router
    assert "changes.items()" in checkout.read("src/app/invoice_lines/service.py")


def test_what_was_moved_is_left_to_its_owner(checkout: Checkout) -> None:
    """What has no place any more is named, and everything else is written."""
    checkout.replace("src/app/main.py", "install_parts(app, settings)", "install_all(app)")
    checkout.replace("pyproject.toml", '    "parts",\n', "")
    checkout.replace("src/app/parts.py", "TAGS = [", "TAGS: list[dict[str, str]] = [")
    report = domain(checkout, "invoices", "number:line", code=Exit.CONFLICTS)
    assert report["by_hand"] == [
        (
            "register the router, where the application is built: from app.invoices.router "
            "import router as invoices_router; "
            "app.include_router(invoices_router, prefix=settings.api_prefix)"
        ),
        'describe the tag, where the others are: {"name": "invoices", "description": "Invoices."}',
        (
            'list "invoices" in the layers of import-linter in pyproject.toml, above the packages '
            "that it imports"
        ),
    ]
    assert (checkout.path / "src/app/invoices/router.py").is_file()


def test_own_line_length(checkout: Checkout) -> None:
    """What is written has the format of the service."""
    checkout.replace("pyproject.toml", "line-length = 100", "line-length = 140")
    domain(checkout, "invoices", "number:line")
    lines = checkout.read("src/app/invoices/router.py").splitlines()
    assert max(map(len, lines)) > 100


def test_first_release(releases: Path, tmp_path: Path) -> None:
    """A service of the first release gets what fits that release."""
    old = service(releases, tmp_path / "service", "v0.2.0")
    domain(old, "invoices", "number:line")
    assert "if_match=if_match" in old.read("src/app/invoices/router.py")
    assert '    "app.invoices",\n' in old.read("pyproject.toml")
    assert '    "app.invoices.service",\n' in old.read("pyproject.toml")


def _nothing(_: Checkout) -> None:
    pass


def _dirty(checkout: Checkout) -> None:
    (checkout.path / "pyproject.toml").write_text(checkout.read("pyproject.toml") + "\n# mine\n")


def _elsewhere(checkout: Checkout) -> None:
    text = checkout.read("src/app/users/models.py")
    (checkout.path / "src/app/people").mkdir()
    checkout.write("src/app/people/models.py", text.replace('"users"', '"invoices"'))


def _package(checkout: Checkout) -> None:
    (checkout.path / "src/app/invoices").mkdir()


def _no_service(checkout: Checkout) -> None:
    git(checkout.path, "rm", "--quiet", "-r", "src")
    checkout.commit()


TYPES = "line text int decimal date datetime bool enum:VALUE,VALUE json reference:DOMAIN"
REFUSALS: dict[str, tuple[Callable[[Checkout], None], str, str]] = {
    "capitals": (
        _nothing,
        "Invoices",
        (
            "'Invoices' cannot be the name of a domain: it takes lower-case letters, and _ between "
            "words, such as invoice_lines."
        ),
    ),
    "keyword": (_nothing, "class", "class is a keyword of Python: choose another name."),
    "no plural": (
        _nothing,
        "invoice",
        (
            "invoice does not look like a plural: write invoices if that is what you mean, or say "
            "what one of them is called: --singular NAME."
        ),
    ),
    "name of the code": (
        _nothing,
        "requests",
        (
            "request is a name that the code of a domain uses itself: choose another, "
            "customer_requests for instance."
        ),
    ),
    "type unknown": (_nothing, "invoices a:money", f"There is no type 'money'; types: {TYPES}."),
    "no type": (
        _nothing,
        "invoices amount",
        f"Write a field as NAME:TYPE, not 'amount'; types: {TYPES}.",
    ),
    "reserved": (_nothing, "invoices id:int", "id is there without being asked for: leave it out."),
    "of the base class": (
        _nothing,
        "invoices json:json",
        "json means something else in models or schemas: choose another name for the field.",
    ),
    "a type's name": (
        _nothing,
        "invoices date:date",
        "date is the name of a type: choose another, date_value for instance.",
    ),
    "twice": (_nothing, "invoices a:int a:line", "There are two fields called a."),
    "one value": (
        _nothing,
        "invoices state:enum:a",
        "An enum has two different values or more: status:enum:draft,sent, not state:enum:a.",
    ),
    "no such domain": (
        _nothing,
        "invoices customer:reference n:int",
        "customer_id refers to customers, which is no domain here.",
    ),
    "itself": (
        _nothing,
        "invoices invoice:reference n:int",
        "invoice_id refers to invoices itself: write that by hand.",
    ),
    "references alone": (
        _nothing,
        "invoices customer:reference",
        "invoices would consist of references: give it a field of its own, name:line for instance.",
    ),
    "table in use": (
        _elsewhere,
        "invoices n:int",
        "User in src/app/people/models.py has the table invoices: choose another name.",
    ),
    "package in use": (
        _package,
        "invoices n:int",
        (
            "src/app/invoices is there already, and src/app/invoices/__init__.py is not what this "
            "command would write: nothing has changed."
        ),
    ),
    "dirty": (
        _dirty,
        "invoices n:int",
        "Commit or stash your changes of what this command edits first:\n  M pyproject.toml",
    ),
    "no service": (_no_service, "invoices", "is no service of this template: there is no src/app."),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_sentences(name: str, checkout: Checkout) -> None:
    """Each says what is wrong and what to do; nothing has changed."""
    spoil, arguments, sentence = REFUSALS[name]
    spoil(checkout)
    before = checkout.files()
    name, *texts = arguments.split()
    with pytest.raises(StoppedError) as stopped:
        plan(Service.found(checkout.path), name, texts)
    assert str(stopped.value).endswith(sentence)
    assert checkout.files() == before


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("invoices", "invoice"),
        ("categories", "category"),
        ("addresses", "address"),
        ("boxes", "box"),
    ],
)
def test_singular(plural: str, singular: str) -> None:
    """Three endings have rules."""
    assert singular_of(plural) == singular


@pytest.mark.parametrize("plural", ["people", "status", "analysis", "address"])
def test_other_plurals_are_asked_for(plural: str) -> None:
    """A guess would be in every file."""
    with pytest.raises(StoppedError):
        singular_of(plural)


@pytest.mark.parametrize(
    ("singular", "article"), [("invoice", "an"), ("user", "a"), ("unit", "a"), ("hour", "an")]
)
def test_article(singular: str, article: str) -> None:
    """As it sounds."""
    assert Names(f"{singular}s", singular).a == article


def test_optional_and_reference() -> None:
    """A ? behind the type; a reference is a column of its own name, to a plural by default."""
    [payer, state] = fields.parse(["payer:reference?", "state:enum:a,b?"])
    assert (payer.name, payer.target, payer.optional) == ("payer_id", "payers", True)
    assert (state.values, state.optional) == (("a", "b"), True)
