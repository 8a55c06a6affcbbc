"""Build the site of the docs into build/site: `make site`. Any warning of Sphinx fails it.

The pages are those of docs/, with those that are written from the template. An index page lists its
pages by ordinary links, which work on a code host too; the site's navigation is read from them.
Then the tests that pages tell a reader to write run in the service that the pages make.
"""

import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from plinth.harness.configurator import Tables
from plinth.harness.hints import Hints
from plinth.harness.pages import Project, read_pages
from plinth.harness.programs import Program, Programs
from plinth.harness.render import Renderer
from plinth.harness.runner import Outcome, Runner
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import parse
from plinth.harness.survey import Survey
from tools.reference import pages
from tools.report import command, conclude, say

FULL = "preset=full"
API = "tests/test_api.py"
DOCS = REPOSITORY / "docs"
SITE = REPOSITORY / "build" / "site"
SOURCE = REPOSITORY / "build" / "site-source"
INDEXES = ("index.md", "decisions/README.md")
# A page in the list, or the table, of an index.
LINK = re.compile(r"(?m)^(?:- |\| )\[([^\]]+)\]\(([\w./-]+)\.md\)")
# What another host would have to send: a page has to work without one.
FOREIGN = re.compile(
    r"""<(?:script|img|source|iframe)\b[^>]*\bsrc="(?:https?:)?//[^"]*"""
    r"""|<link\b[^>]*\bhref="(?:https?:)?//[^"]*"""
    r"""|(?:url\(|@import )["']?(?:https?:)?//[^)"';]*"""
)
OPTIONS: Mapping[str, object] = {
    "project": "Plinth",
    "copyright": "the contributors of Plinth",
    "extensions": ["myst_parser"],
    "exclude_patterns": ["platform-teams/example"],
    "myst_heading_anchors": 3,
    "nitpicky": True,
    "html_theme": "pydata_sphinx_theme",
    "html_static_path": ["_static"],
    "html_css_files": ["configurator.css"],
    "html_sidebars": dict.fromkeys(("index", "tutorial", "configurator"), ()),
    "html_title": "Plinth",
    "html_show_sourcelink": False,
    "html_theme_options": {
        "secondary_sidebar_items": ["page-toc"],
        "navigation_with_keys": False,
        "footer_start": ["copyright"],
        "footer_end": [],
    },
}


@dataclass(frozen=True)
class Report:
    """What was built."""

    pages: int
    warnings: int
    foreign: int
    tests: int
    failed: Sequence[str]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        return (
            f"site: {self.pages} pages, {self.warnings} warnings, "
            f"{self.foreign} files of other hosts, {self.tests} tests of pages passed, "
            f"{len(self.failed)} failed, {self.seconds:.0f} s"
        )


def main() -> None:
    """Assemble, build, run the tests of pages, report."""
    given = command("site", __doc__).parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template")
        hints = Hints.read(template)
        survey = Survey(template, hints)
        assemble(survey.renderer, DOCS, SOURCE)
        warnings = build(SOURCE, SITE)
        outcome = run_tests(survey, hints)
    foreign = foreign_files(SITE)
    for line in [*warnings, *foreign, *([] if outcome.passed else [outcome.log])]:
        say(line)
    report = Report(
        len([*SITE.rglob("*.html")]),
        len(warnings),
        len(foreign),
        outcome.tests,
        outcome.failed,
        time.monotonic() - started,
    )
    failed = bool(warnings or foreign or not outcome.passed)
    conclude(report, failed=failed, as_json=given.json)


def run_tests(survey: Survey, hints: Hints) -> Outcome:
    """Lay the pages about the service with everything over it, and run what tests they have.

    The tests of its API run too: they look at every route.
    """
    answers = parse(survey.space, [FULL])
    project = Project({**survey.renderer.tree(answers, machinery=True)})
    for page in read_pages(REPOSITORY):
        for block in page.blocks() if page.project == FULL else ():
            if block.language in {"python", "diff"} and (told := project.lay(block)):
                sys.exit(f"{block.place}: {told}")
    tests = sorted(path for path in project.touched if path.startswith("tests/"))
    with Runner.started(Programs(survey), 1, hints) as runner:
        return runner.run(Program("pages", answers, project.tree), [*tests, API])


def assemble(renderer: Renderer, docs: Path, into: Path) -> None:
    """Write the source of the site: the docs, the pages from the template, the navigation."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(docs, into)
    for path, text in pages(renderer).items():
        (into / path).write_text(text, "utf-8")
    data = json.dumps(Tables(renderer).all())
    (into / "_static" / "configurator-data.js").write_text(f"const PLINTH = {data};\n", "utf-8")
    for index in (page for page in into.rglob("*.md") if _is_index(page.relative_to(into))):
        text = index.read_text("utf-8")
        index.write_text(f"{text}\n{navigation(text)}", "utf-8")


def _is_index(path: Path) -> bool:
    return path.name == INDEXES[0] or path.as_posix() == INDEXES[1]


def navigation(text: str) -> str:
    """Return the directive that lists the pages to which an index links."""
    listed = [f"{title} <{path}>" for title, path in LINK.findall(text)]
    return "\n".join(["```{toctree}", ":hidden:", "", *listed, "```", ""])


def build(source: Path, into: Path) -> list[str]:
    """Build a site, from nothing; return Sphinx's warnings."""
    shutil.rmtree(into, ignore_errors=True)
    told = StringIO()
    with (
        tempfile.TemporaryDirectory() as doctrees,
        # Of an earlier build in this process nothing is left.
        patch_docutils(),
        docutils_namespace(),
    ):
        app = Sphinx(
            source,
            None,
            into,
            doctrees,
            "html",
            confoverrides={**OPTIONS},
            status=None,
            warning=told,
            freshenv=True,
        )
        app.build(force_all=True)
    text = re.sub(r"\x1b\[[\d;]*m", "", told.getvalue())
    return [line.replace(f"{source}/", "docs/") for line in text.splitlines() if line.strip()]


def foreign_files(site: Path) -> list[str]:
    """Return each file that a page would load from another host."""
    found = [*site.rglob("*.html"), *site.rglob("*.css")]
    return [
        f"{file.relative_to(site)}: {match[0]}"
        for file in sorted(found)
        for match in FOREIGN.finditer(file.read_text("utf-8"))
    ]


if __name__ == "__main__":
    main()
