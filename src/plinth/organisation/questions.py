"""The questions of an organisation's template: ours in their order, its own, and locked ones."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import yaml
from copier._template import load_template_config
from copier.errors import CopierError

from plinth.errors import StoppedError
from plinth.trees import File, Tree

# Where the questions of the release lie, and the organisation's own.
OURS, OWN = "upstream/copier.yml", "organisation/questions.yml"
# What is computed from the answers comes after all questions.
COMPUTED = ("extensions", "parts")
HEAD = """\
# Written by `plinth organisation upgrade`. What to edit: organisation/questions.yml for questions,
# organisation.toml for answers that are fixed.
"""
ORDER = """\
---
# The order of the questions. What is computed from the answers comes last.
"""
INCLUDES = f"---\n!include {OURS}\n---\n!include {OWN}\n"
LOCKED = "---\n# Answers that are fixed.\n"

Question: TypeAlias = Mapping[str, Any]


def written(upstream: Tree, own: File | None, name: str, locks: Mapping[str, object]) -> str:
    """Return copier.yml for an organisation's template.

    `upstream` is a release of ours, `own` the file of own questions, `name` what the organisation
    is called. Raises StoppedError where a lock or an own question cannot be.
    """
    ours, own_questions = of_release(upstream), _own(own)
    return _text(ours, own_questions, name, locks)


def _text(
    ours: Mapping[str, Question],
    own: Mapping[str, Question],
    name: str,
    locks: Mapping[str, object],
) -> str:
    if computed := own.keys() & {*COMPUTED}:
        raise StoppedError(
            f"{OWN} replaces {', '.join(sorted(computed))}, which is computed: list your parts in "
            "organisation/extensions."
        )
    asked = [question for question in ours if question not in COMPUTED]
    order = [*dict.fromkeys([*asked, *own]), *COMPUTED]
    text = HEAD
    if locks:
        text += _dump({"_message_before_copy": _message(name, locks)})
    text += ORDER + "".join(f"{question}: {{}}\n" for question in order) + INCLUDES
    if locks:
        questions = {**ours, **own}
        locked = {q: _locked(name, q, questions.get(q), answer) for q, answer in locks.items()}
        text += LOCKED + _dump(locked)
    return text


def sentence(name: str, question: str, answer: object) -> str:
    """Return what is said where an answer differs from the one that is fixed."""
    return f"{name} has fixed this answer: {question}={_told(answer)}."


def _message(name: str, locks: Mapping[str, object]) -> str:
    fixed = "".join(f"  {question}={_told(answer)}\n" for question, answer in locks.items())
    return f"{name} has fixed these answers:\n{fixed}"


def _told(answer: object) -> str:
    return str(answer).lower() if isinstance(answer, bool) else str(answer)


def _locked(name: str, key: str, question: Question | None, answer: object) -> Question:
    """Return a question that is not asked and allows one answer."""
    if question is None:
        raise StoppedError(f"organisation.toml fixes {key}, which is no question.")
    told = f"{{% raw %}}{sentence(name, key, answer)}{{% endraw %}}"
    locked = {**question, "ask": False, "default": answer}
    if choices := [*_choices(key, question)]:
        if answer not in [choice["value"] for _, choice in choices]:
            known = ", ".join(_told(choice["value"]) for _, choice in choices)
            raise StoppedError(
                f"organisation.toml fixes {key}={_told(answer)}: the answers are {known}."
            )
        # Copier shows this sentence in prompts too, where it runs no other validator.
        locked["choices"] = {
            label: choice if choice["value"] == answer else {**choice, "validator": told}
            for label, choice in choices
        }
        return locked
    before = str(question.get("validator", ""))
    refused = f"{{% if {key} != {json.dumps(answer)} %}}{told}{{% endif %}}"
    return {**locked, "validator": f"{refused}{before}"}


def _choices(key: str, question: Question) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the label and the value of each answer; a yes or no is a choice between two."""
    choices: object = question.get("choices", [])
    if question.get("type") == "bool" and not choices:
        choices = {"yes": True, "no": False}
    if isinstance(choices, str):
        raise StoppedError(
            f"{key} cannot be fixed, because its choices are computed: replace it in {OWN}."
        )
    if isinstance(choices, dict):
        pairs = [*cast("dict[str, Any]", choices).items()]
    else:
        pairs = [_pair(choice) for choice in cast("list[Any]", choices)]
    for label, value in pairs:
        yield label, {**value} if isinstance(value, dict) else {"value": value}


def _pair(choice: str | list[Any]) -> tuple[str, Any]:
    return (choice, choice) if isinstance(choice, str) else (choice[0], choice[1])


def of_release(upstream: Tree) -> Mapping[str, Question]:
    """Return the questions of a release of ours, in their order, settings left out."""
    with tempfile.TemporaryDirectory(prefix="plinth-") as name:
        for path, file in upstream.items():
            if path.endswith((".yml", ".yaml")) and not path.startswith("template/"):
                (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(name) / path).write_bytes(file.content)
        try:
            found = load_template_config(Path(name) / "copier.yml", quiet=True)
        except (CopierError, OSError) as error:
            raise StoppedError(f"The release's copier.yml cannot be read: {error}") from error
    return _questions(found)


def _own(file: File | None) -> Mapping[str, Question]:
    if file is None:
        return {}
    try:
        documents = [*yaml.safe_load_all(file.text)]
    except yaml.YAMLError as error:
        raise StoppedError(f"{OWN} cannot be read: {error}") from error
    found: dict[str, object] = {}
    for document in filter(None, documents):
        if not isinstance(document, dict):
            raise StoppedError(f"{OWN} is not a list of questions.")
        found |= document
    return _questions(found)


def _questions(config: Mapping[str, object]) -> Mapping[str, Question]:
    return {
        key: cast("Question", value) if isinstance(value, dict) else {"default": value}
        for key, value in config.items()
        if not key.startswith("_")
    }


def _dump(content: Mapping[str, object]) -> str:
    return yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=10_000)  # pyright: ignore[reportUnknownMemberType] - as in plinth.template
