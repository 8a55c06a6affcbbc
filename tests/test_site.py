"""The site of the docs: a mistake fails its build, and its reference is what the template has."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from plinth.harness.source import REPOSITORY
from plinth.harness.survey import Survey
from tools import site
from tools.reference import ProblemType, Setting, commands, pages, problems, settings

# The theme and MyST still use what Sphinx 11 will not have.
pytestmark = pytest.mark.filterwarnings("ignore:.*for Sphinx API modifications")
# A small site, with an index as ours are.
SOUND: Mapping[str, str] = {
    "index.md": "# Site\n\n- [One](one.md): the first.\n- [Two](two.md)\n",
    "one.md": "# One\n\n## A part\n\nSee [two](two.md).\n",
    "two.md": "# Two\n\nSee [a part](one.md#a-part).\n",
}
SEEDS: Mapping[str, tuple[str, str, str, str]] = {
    "broken link": ("one.md", "(two.md)", "(three.md)", "target not found: 'three.md'"),
    "missing anchor": ("two.md", "#a-part", "#apart", "local id not found in doc 'one': 'apart'"),
    "unlisted page": ("index.md", "- [Two](two.md)\n", "", "isn't included in any toctree"),
    "listed page that is not there": ("index.md", "(two.md)", "(too.md)", "nonexisting document"),
    "heading of the wrong level": ("one.md", "## A part", "### A part", "Non-consecutive header"),
}


def built(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Build a site of some pages; return what is wrong with it."""
    source = folder / "source"
    (source / "_static").mkdir(parents=True)
    (source / "_static" / "configurator.css").touch()
    for path, text in texts.items():
        more = site.navigation(text) if path == "index.md" else ""
        (source / path).write_text(f"{text}\n{more}", "utf-8")
    return site.build(source, folder / "site")


def test_sound_site_is_built(tmp_path: Path) -> None:
    """Nothing is told, the pages are there, and none loads a file from another host."""
    assert not built(tmp_path, SOUND)
    page = (tmp_path / "site" / "one.html").read_text("utf-8")
    assert '<a class="reference internal" href="two.html">' in page
    assert not site.foreign_files(tmp_path / "site")


@pytest.mark.parametrize("name", SEEDS)
def test_mistake_fails_the_build(tmp_path: Path, name: str) -> None:
    """The mistake is told, with its page."""
    path, before, after, told = SEEDS[name]
    assert before in SOUND[path]
    found = built(tmp_path, {**SOUND, path: SOUND[path].replace(before, after)})
    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        '<script defer src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css">',
        "@import 'https://example.org/a.css';",
        "@font-face { src: url(https://example.org/a.woff2) }",
        '<img alt="" src="http://example.org/a.png">',
    ],
)
def test_file_of_another_host_is_found(tmp_path: Path, text: str) -> None:
    """Whatever a page would load from elsewhere is told; a link for the reader is not."""
    (tmp_path / "page.html").write_text(f'{text} <a href="https://example.org">there</a>', "utf-8")
    assert len(site.foreign_files(tmp_path)) == 1


def test_settings_are_those_of_the_example(survey: Survey) -> None:
    """Each variable of `.env.example` has a row, and a meaning."""
    tree = survey.renderer.tree(survey.space.combination({"preset": "full"}))
    example = tree[".env.example"]
    found = [*settings(example)]
    names = re.findall(r"(?m)^(?:# )?([A-Z_0-9]+)=", example)
    assert [each.name for each in found] == names
    speaks_for_itself = ("APP_AUTH_", "APP_MAIL_")
    silent = [each.name for each in found if not each.comment]
    assert not [name for name in silent if not name.startswith(speaks_for_itself)]
    text = "# What\n# is kept\nA_SIZE=1\nA_MORE=2\n# Next\nA_LAST=3\n\n# Other\n# B_URL=x\n"
    assert [*settings(text)] == [
        Setting("A_SIZE", "1", "What is kept"),
        Setting("A_MORE", "2", "What is kept"),
        Setting("A_LAST", "3", "Next"),
        Setting("B_URL", "x", "Other"),
    ]


def test_problems_are_those_of_the_code(survey: Survey) -> None:
    """Each type in the code has a row, with the status of its class."""
    tree = survey.renderer.tree(survey.space.combination({"preset": "full"}))
    code = "\n".join(text for path, text in tree.items() if path.startswith("src/"))
    found = problems(tree)
    assert {*re.findall(r'type_ = "([^"]+)"', code), "invalid-request"} == {p.type for p in found}
    meaning = "The caller has no access to an item with this id."
    assert ProblemType("item-not-found", 404, "There is no such item.", meaning) in found
    assert {p.status for p in found if p.type == "invalid-request"} == {422}
    assert {p.status for p in found if p.type == "internal-error"} == {500}


def test_reference_has_every_command_and_question(survey: Survey) -> None:
    """Nothing is left out of the pages that are written from the template."""
    written = pages(survey.renderer)
    tree = survey.renderer.tree(survey.space.combination({"preset": "full"}))
    targets = re.findall(r"(?m)^([a-z]+):", tree["Makefile"])
    assert [*commands(tree["Makefile"])] == targets
    assert all(f"| `make {name}" in written["reference/commands.md"] for name in targets)
    assert all(f"| `{n}`" in written["reference/questions.md"] for n in survey.space.factors())
    assert not any(path for path in written if (REPOSITORY / "docs" / path).exists())
