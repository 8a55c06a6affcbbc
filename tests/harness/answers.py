"""The answer space: which questions there are, and which answers to them are legal together.

Everything is read through Copier itself, with its own parsing, defaults and validators.
"""

import functools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

from copier._main import Worker
from copier._user_data import AnswersMap, Question

Answer: TypeAlias = str | bool
Answers: TypeAlias = Mapping[str, Answer]

# The preset in which every question is asked.
EVERYTHING: Answers = {"preset": "custom"}


class AnswerSpace:
    """All legal answers to the template's questions.

    `template` is a folder or a repository that Copier accepts.
    """

    def __init__(self, template: Path) -> None:
        # Nothing is written: the worker only reads the questions and answers them.
        self._worker = Worker(
            src_path=str(template), dst_path=template / "nowhere", defaults=True, quiet=True
        )
        # Compiling the same few expressions for every combination would take nearly all the time.
        environment = self._worker.jinja_env
        environment.from_string = functools.cache(environment.from_string)  # type: ignore[method-assign]

    @property
    def questions(self) -> Mapping[str, Mapping[str, object]]:
        """Every question by its name, in order, as copier.yml and its includes have it."""
        return self._worker.template.questions_data

    def asked(self, answers: Answers = EVERYTHING) -> Mapping[str, str]:
        """Return the questions that are asked in the end, in order, each with its message.

        `answers` are those that differ from the default.
        """
        return {
            question.var_name: str(question.get_message())
            for question in self._walk(answers)
            if question.get_when() and question.get_ask()
        }

    def complete(self, answers: Answers = EVERYTHING) -> dict[str, object]:
        """Return the answers that a project records, defaults included."""
        return {
            question.var_name: answers.get(question.var_name, question.get_default())
            for question in self._walk(answers)
            if question.get_when()
        }

    def extensions(self, answers: Answers = EVERYTHING) -> Mapping[str, bool]:
        """Return every part of the service, and whether these answers turn it on."""
        for question in self._walk(answers):
            if question.var_name == "extensions":
                return cast("Mapping[str, bool]", question.get_default())
        raise LookupError("copier.yml lists no extensions")

    def _walk(self, answers: Answers) -> Iterator[Question]:
        """Yield each question when all before it are answered, by `answers` or by default."""
        known = dict[str, object]()
        for name in self.questions:
            self._worker.answers = AnswersMap(init={**known})
            question = self._question(name)
            yield question
            known[name] = answers.get(name, question.get_default())

    def factors(self) -> Mapping[str, tuple[Answer, ...]]:
        """Each question with a choice, with the answers that are legal in some combination."""
        values: dict[str, dict[Answer, None]] = {}
        for answers in self.combinations():
            for name, value in answers.items():
                values.setdefault(name, {})[value] = None
        return {name: tuple(found) for name, found in values.items()}

    def combinations(self, only: Collection[str] | None = None) -> Iterator[Answers]:
        """Yield every legal combination of the questions with a choice.

        With `only`, these questions vary and the others keep the default that follows from them.
        """
        yield from self._expand(list(self.questions), EVERYTHING, only)

    def _expand(
        self, names: list[str], known: Answers, only: Collection[str] | None
    ) -> Iterator[Answers]:
        """Answer the questions named, given all answers to those before."""
        if not names:
            yield {name: known[name] for name in known if self._is_choice(name, only)}
            return
        name, *rest = names
        self._worker.answers = AnswersMap(init={**known})
        question = self._question(name)
        varies = name not in EVERYTHING and (only is None or name in only)
        values = self._values(question) if varies else ()
        for value in values or (question.get_default(),):
            yield from self._expand(rest, {**known, name: value}, only)

    def _is_choice(self, name: str, only: Collection[str] | None) -> bool:
        details = self.questions[name]
        offers = details.get("type") == "bool" or "choices" in details
        return offers and name not in EVERYTHING and (only is None or name in only)

    def _values(self, question: Question) -> tuple[Answer, ...]:
        """Legal answers, given those before; empty where there is nothing to choose."""
        if not (question.get_when() and question.get_ask()):
            return ()
        structure = question.get_questionary_structure()
        if structure["type"] == "confirm":
            values = cast("list[Answer]", [False, True])
        else:
            choices = structure.get("choices", [])
            values = [choice.value for choice in choices if not choice.disabled]
        return tuple(value for value in values if _accepts(question, value))

    def _question(self, name: str) -> Question:
        worker = self._worker
        # Copier has no public way to answer without rendering as well.
        context = worker._render_context()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return Question(
            answers=worker.answers,
            context=context,
            jinja_env=worker.jinja_env,
            settings=worker.settings,
            var_name=name,
            **self.questions[name],  # pyright: ignore[reportArgumentType]
        )


def _accepts(question: Question, value: Answer) -> bool:
    try:
        question.validate_answer(value)
    except ValueError:
        return False
    return True
