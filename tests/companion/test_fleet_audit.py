"""`plinth fleet`: each problem is found by its rule, and none where there is none."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import copier
import pytest

from plinth.fleet import rendering
from plinth.fleet.addresses import for_uv, normal
from plinth.fleet.rules import RULES
from plinth.harness.command import git
from plinth.harness.source import REPOSITORY, publish_template
from plinth.service import Service
from plinth.template import Template
from tests.companion.conftest import Checkout, Upstream

README = "README.md"
MARKERS = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"


def audit(at: Checkout, *arguments: str, code: int = 0) -> Mapping[str, Mapping[str, Any]]:
    """Audit; return the services by their paths. Fails where it ends with another code."""
    done = at.plinth("fleet", "audit", *arguments, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return {row["path"]: row for row in json.loads(done.stdout)["services"]}


def found(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rules that a service does not keep, and what is said of each."""
    return [(finding["rule"], finding["detail"]) for finding in row["findings"]]


def test_behind(fleet: Checkout) -> None:
    """By releases and days; as many as are allowed are no finding."""
    rows = audit(fleet, ".", code=1)
    assert list(rows) == ["one", "two"]
    assert (rows["one"]["version"], rows["one"]["target"]) == ("v0.1.0", "v0.2.0")
    assert (rows["one"]["behind"], rows["one"]["days"]) == (1, 0)
    assert found(rows["one"]) == [("PF001", "v0.1.0 is 1 release behind v0.2.0")]
    assert not found(audit(fleet, ".", "--max-behind", "1")["one"])
    assert not found(audit(fleet, ".", "--to", "v0.1.0")["one"])
    assert audit(fleet, ".", "--fail-on", "PF002")["one"]["state"] == "PF001"


def _edited(one: Checkout) -> None:
    one.replace(README, "Three.", "3.")


def _reformatted(one: Checkout) -> None:
    one.write("src/app/pages.py", one.read("src/app/pages.py").replace("\n", "\r\n"))
    one.write("migrations/first.py", "# a revision of the service\n")


def _deleted(one: Checkout) -> None:
    git(one.path, "rm", "--quiet", README)
    one.commit()


def conflicting(one: Checkout) -> None:
    """Edit a line that the release changes."""
    one.replace(README, "One.", "First.")


def losing(one: Checkout) -> None:
    """Import a module that the release deletes."""
    one.write("src/app/own.py", "from app.cache import SIZE\n\nOWN = SIZE\n")


def _marked(one: Checkout) -> None:
    one.write("docs/notes.md", MARKERS)


def unfinished(one: Checkout) -> None:
    """Leave the journal of an update."""
    (one.path / ".git" / "plinth-update.json").write_text("{}", "utf-8")


def dirty(one: Checkout) -> None:
    """Leave a file that is not committed."""
    (one.path / "notes.txt").write_text("To do.\n", "utf-8")


def _unknown(one: Checkout) -> None:
    one.replace(".copier-answers.yml", "v0.1.0", "v0.0.9")


def _refused(one: Checkout) -> None:
    one.replace(".copier-answers.yml", "cache: redis", "cache: memcached")


def _unreadable(one: Checkout) -> None:
    one.write(".copier-answers.yml", MARKERS)


SEEDS: dict[str, tuple[Callable[[Checkout], None], list[tuple[str, str]], int]] = {
    "nothing": (lambda _: None, [], 0),
    "edited": (_edited, [("PF003", README)], 0),
    "line ends, revisions": (_reformatted, [], 0),
    "deleted": (_deleted, [("PF004", README)], 0),
    "conflicting": (conflicting, [("PF003", README), ("PF005", README)], 1),
    "losing": (
        losing,
        [("PF006", "src/app/own.py imports app.cache (src/app/cache.py)")],
        1,
    ),
    "marked": (_marked, [("PF007", "docs/notes.md")], 1),
    "unfinished": (unfinished, [("PF008", "plinth update --continue goes on")], 1),
    "dirty": (dirty, [("PF009", "what is not committed is not looked at")], 0),
    "unknown": (_unknown, [("PF010", "has no release v0.0.9. The newest is v0.2.0.")], 1),
    "refused": (_refused, [("PF011", "Invalid choice")], 1),
    "unreadable": (_unreadable, [("PF012", ".copier-answers.yml")], 3),
}


@pytest.mark.parametrize("name", SEEDS)
def test_each_problem_is_found_by_its_rule(name: str, fleet: Checkout) -> None:
    """And the service beside it is in order."""
    sow, wanted, code = SEEDS[name]
    sow(Checkout(fleet.path / "one"))
    before = fleet.files()
    rows = audit(fleet, ".", "--drift", "--rehearse", "--max-behind", "1", code=code)
    got = found(rows["one"])
    assert [rule for rule, _ in got] == [rule for rule, _ in wanted]
    assert all(part in detail for (_, detail), (_, part) in zip(got, wanted, strict=True)), got
    assert found(rows["two"]) == []
    assert rows["two"]["next"]["is"] == "clean"
    assert rows["two"]["drift"] == {"edited": [], "deleted": [], "own": 1}
    assert fleet.files() == before


def test_pins(fleet: Checkout) -> None:
    """An answer, one of several, and the template in another spelling of its address."""
    address = Service.found(fleet.path / "one").address
    for pins, wanted in (
        ("cache: redis\n", []),
        ("cache: [none, redis]\n", []),
        (f"_src_path: file://{address}\n", []),
        ("cache: none\n", [("PF002", "cache is redis, pinned to none")]),
        (
            "region: [north, south]\n",
            [("PF002", "region is not answered, pinned to north or south")],
        ),
    ):
        (fleet.path / "pins.yml").write_text(pins, "utf-8")
        arguments = ("one", "--pins", "pins.yml", "--max-behind", "1")
        assert found(audit(fleet, *arguments, code=1 if wanted else 0)["one"]) == wanted


def test_lists_addresses_and_several_services_of_one_repository(
    upstream: Upstream, tmp_path: Path
) -> None:
    """Each has its line, by where it is; a folder without services is counted."""
    mono = tmp_path / "mono"
    for name in ("a", "b"):
        copier.run_copy(str(upstream.path), mono / name, defaults=True, quiet=True)
    git(tmp_path, "init", "--quiet", "mono")
    Checkout(mono).commit()
    (tmp_path / "lists").mkdir()
    lines = f"# ours\n\n../mono\n{mono.as_uri()}\n../nowhere\n"
    (tmp_path / "lists/all.txt").write_text(lines, "utf-8")
    rows = audit(Checkout(tmp_path), "@lists/all.txt", code=3)
    assert [path for path, row in rows.items() if not row["error"]] == ["mono/a", "mono/b"]
    rows = audit(Checkout(tmp_path), mono.as_uri())
    assert [Path(path).name for path in rows] == ["a", "b"]
    done = Checkout(tmp_path).plinth("fleet", "audit", ".")
    assert done.returncode == 0
    assert done.stderr.endswith("0 unreadable, 1 repository without a service\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((".", "--fail-on", "PF99"), "There is no rule PF99; there are PF001"),
        ((".", "--pins", "nowhere.yml"), "There is no file nowhere.yml."),
        (("@nowhere",), "The list nowhere cannot be read"),
        ((".", "--to", "v9.9.9"), "has no release v9.9.9."),
        ((".", "--format", "xml"), "xml"),
        ((), "Missing argument"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], sentence: str, fleet: Checkout) -> None:
    """Code 2 and a sentence."""
    done = fleet.plinth("fleet", "audit", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_table_and_markdown(fleet: Checkout) -> None:
    """Both have each finding, its rule and where that is described."""
    table = fleet.plinth("fleet", "audit", ".").stdout
    assert re.search(r"one +one +\S+ +v0\.1\.0 +1 \(0 days\)", table)
    assert "PF001: behind the template's releases, docs/fleet.md#pf001" in table
    page = fleet.plinth("fleet", "audit", ".", "--format", "markdown").stdout
    assert "- two: [PF001](docs/fleet.md#pf001), v0.1.0 is 1 release behind v0.2.0" in page


def test_addresses_are_made_equal() -> None:
    """Without what is secret in them."""
    spellings = (
        "gh:acme/service",
        "git@GitHub.com:acme/service.git",
        "https://github.com/acme/service/",
        "git+https://github.com/acme/service.git",
        "https://user:token@GITHUB.com/acme/service",
        "ssh://git@github.com/acme/service.git",
    )
    assert {normal(address) for address in spellings} == {"github.com/acme/service"}
    assert normal("/srv/../srv/service") == "/srv/service"
    assert for_uv("git@host:acme/x.git") == "git+ssh://git@host/acme/x.git"
    assert for_uv("https://host/x.git") == "git+https://host/x.git"


def test_rules_are_described() -> None:
    """Each has a heading that its link leads to."""
    page = (REPOSITORY / "docs" / "fleet.md").read_text("utf-8")
    assert re.findall(r"(?m)^### (PF\d+)$", page) == [*RULES]


def test_what_is_shared_renders_what_copier_renders(tmp_path: Path) -> None:
    """The real template, copied and updated: the same files, answers and modes."""
    upstream = publish_template(tmp_path / "template")
    project = tmp_path / "service"
    data = {"project_name": "Shared", "preset": "full"}
    copier.run_copy(str(upstream), project, data, defaults=True, quiet=True)
    git(project, "init", "--quiet")
    Checkout(project).commit()
    readme = upstream / "template/README.md.jinja"
    readme.write_text(readme.read_text("utf-8") + "\nMore.\n", "utf-8")
    (upstream / "template/AGENTS.md.jinja").unlink()
    git(upstream, "commit", "--quiet", "--all", "--message", "Next")
    git(upstream, "tag", "v0.0.2")
    service = Service.found(project)
    template = Template.cloned(service, tmp_path / "bare.git")
    shared = Template(template.repository, template.address, rendering)
    assert shared.render(service, tmp_path / "b") == template.render(service, tmp_path / "a")
