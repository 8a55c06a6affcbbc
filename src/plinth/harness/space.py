"""The answer space: which questions there are, and which answers to them are legal together.

Everything is read through Copier itself, with its own parsing, defaults and validators.
"""

import functools
import itertools
import math
import random
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import jinja2
import jinja2.meta
from copier._main import Worker
from copier._user_data import AnswersMap, Question

Answer: TypeAlias = str | bool
Answers: TypeAlias = Mapping[str, Answer]

PRESETS = ("minimal", "standard", "full")
# The preset in which every question is asked.
CUSTOM = "custom"
EVERYTHING: Answers = {"preset": CUSTOM}

# What decides, in a question, which answers are legal.
CONDITIONS = ("when", "ask", "choices", "validator")


@dataclass(frozen=True)
class Group:
    """Questions whose answers depend on one another, and every legal row of answers to them."""

    names: tuple[str, ...]
    rows: Sequence[Answers]

    @functools.cached_property
    def _where(self) -> Mapping[tuple[str, Answer], int]:
        """For each answer the rows that have it, a bit for each."""
        found: dict[tuple[str, Answer], int] = {}
        for number, row in enumerate(self.rows):
            for item in row.items():
                found[item] = found.get(item, 0) | 1 << number
        return found

    def choose(self, rows: int, name: str) -> list[tuple[Answer, int]]:
        """Return the answers to a question that occur in some rows, each with those rows.

        Rows are a set of bits; -1 means all of them.
        """
        found = ((value, rows & bits) for (key, value), bits in self._where.items() if key == name)
        return [(value, left) for value, left in found if left]

    def projections(self, names: Collection[str]) -> list[Answers]:
        """Return the distinct rows of those of its questions that are named."""
        kept = [name for name in self.names if name in names]
        distinct = dict.fromkeys(tuple(row[name] for name in kept) for row in self.rows)
        return [dict(zip(kept, values, strict=True)) for values in distinct]


class Combinations:
    """Legal combinations of answers.

    Answers of different groups go together in any way: the combinations are the groups' product.
    """

    def __init__(self, groups: Sequence[Group], order: Iterable[str] | None = None) -> None:
        self.groups = groups
        self._order = [*(order or (name for group in groups for name in group.names))]

    def and_also(self, **factors: Sequence[Answer]) -> "Combinations":
        """Return the same with more questions, whose answers go together with all others."""
        more = [Group((name,), [{name: v} for v in values]) for name, values in factors.items()]
        return Combinations([*self.groups, *more], [*self._order, *factors])

    def __len__(self) -> int:
        """How many combinations of answers are legal; texts are not counted."""
        return math.prod(len(group.rows) for group in self.groups)

    def factors(self) -> Mapping[str, tuple[Answer, ...]]:
        """Each question with a choice, with the answers that are legal in some combination."""
        found = {
            name: tuple(dict.fromkeys(row[name] for row in group.rows))
            for group in self.groups
            for name in group.names
        }
        return {name: found[name] for name in self._order if name in found}

    def combinations(self, only: Collection[str] | None = None) -> Iterator[Answers]:
        """Yield every legal combination of the questions with a choice.

        With `only`, these questions vary and are answered; the others have their defaults.
        """
        names = [name for name in self.factors() if only is None or name in only]
        for rows in itertools.product(*(group.projections(names) for group in self.groups)):
            known = {name: value for row in rows for name, value in row.items()}
            yield {name: known[name] for name in names}

    def choose(self, answers: Answers | None = None) -> "Choices":
        """Return choices of which these are made. Raises KeyError where they are not legal."""
        choices = Choices(self._group_of)
        for name, answer in (answers or {}).items():
            choices.give(name, answer)
        return choices

    @functools.cached_property
    def _group_of(self) -> Mapping[str, Group]:
        return {name: group for group in self.groups for name in group.names}

    def sample(self, generator: random.Random) -> Answers:
        """Return one legal combination, each as likely as any other."""
        known = {
            name: value
            for group in self.groups
            for name, value in generator.choice(group.rows).items()
        }
        return {name: known[name] for name in self.factors()}

    def allows(self, answers: Answers) -> bool:
        """Whether the answers, one for each question with a choice, are legal together."""
        return all({name: answers[name] for name in g.names} in g.rows for g in self.groups)


class AnswerSpace(Combinations):
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
        known = self.complete()
        groups = [Group(tuple(n), tuple(self._expand(n, known))) for n in self._related()]
        super().__init__(groups, self.questions)

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

    def messages(self) -> Mapping[str, str]:
        """Return the message of each question that is asked after some answers, in order."""
        asked = {*self.factors(), *self.asked()}
        return {
            question.var_name: str(question.get_message())
            for question in self._walk(EVERYTHING)
            if question.var_name in asked
        }

    def complete(self, answers: Answers = EVERYTHING) -> dict[str, object]:
        """Return the answers that a project records, defaults included."""
        return {
            question.var_name: answers.get(question.var_name, question.get_default())
            for question in self._walk(answers)
            if question.get_when()
        }

    def updated(self, recorded: Mapping[str, object]) -> dict[str, object]:
        """Return all answers of a service that has recorded these, after an update.

        As in Copier, one that is not legal any more becomes the default. What is computed is there
        too.
        """
        known = {name: value for name, value in recorded.items() if name not in self.questions}
        for name in self.questions:
            self._worker.answers = AnswersMap(init={**known})
            question = self._question(name)
            stays = name in recorded and question.get_when() and _allows(question, recorded[name])
            known[name] = recorded[name] if stays else question.get_default()
        return known

    def refusal(self, name: str, value: object, known: Mapping[str, object]) -> str:
        """Return the sentence by which Copier refuses an answer after others; empty if it does not.

        `known` may have answers to later questions: those that were given by `--data`.
        """
        self._worker.answers = AnswersMap(init={**known})
        question = self._question(name)
        try:
            question.validate_answer(question.parse_answer(value))
        except ValueError as error:
            return sentence_of(error)
        return ""

    def default(self, name: str, known: Mapping[str, object]) -> object:
        """Return what Copier answers by itself after others, whether that is legal or not."""
        self._worker.answers = AnswersMap(init={**known})
        question = self._question(name)
        return question.cast_answer(question.render_value(question.default))

    def reads(self, name: str, *keys: str) -> list[str]:
        """Return the questions that these parts of a question name, in order."""
        texts = _texts([self.questions[name].get(key) for key in keys])
        parse = self._worker.jinja_env.parse
        found = {n for text in texts for n in jinja2.meta.find_undeclared_variables(parse(text))}
        return [other for other in self.questions if other in found]

    def named_in_defaults(self) -> set[str]:
        """Return the names that the defaults of questions ask for."""
        parse = self._worker.jinja_env.parse
        texts = _texts([question.get("default") for question in self.questions.values()])
        return {n for text in texts for n in jinja2.meta.find_undeclared_variables(parse(text))}

    def combination(self, answers: Answers | None = None) -> Answers:
        """Return these answers to the questions with a choice; the others have their defaults."""
        complete = self.complete(answers or {})
        return {name: cast("Answer", complete[name]) for name in self.factors()}

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

    def _related(self) -> list[list[str]]:
        """Sort the questions with a choice into groups: a condition joins those that it names.

        Questions of different groups do not decide about each other's answers.
        """
        choices = [name for name in self.questions if self._is_choice(name)]
        groups = [{name} for name in choices]
        for name in choices:
            together = {name, *self._decisive(name, CONDITIONS)}
            apart = [group for group in groups if not group & together]
            groups = [*apart, set[str]().union(*(g for g in groups if g & together))]
        return [found for group in groups if (found := [n for n in choices if n in group])]

    def _decisive(self, name: str, keys: Iterable[str]) -> set[str]:
        """Return the questions that these parts of a question name, those that they follow too."""
        syntax = jinja2.Environment(autoescape=True)
        found: set[str] = set()
        for text in _texts([self.questions[name].get(key) for key in keys]):
            found |= jinja2.meta.find_undeclared_variables(syntax.parse(text))
        named = found & self.questions.keys() - {name}
        followed = [self._decisive(n, ["default"]) for n in named if not self._is_choice(n)]
        return named.union(*followed)

    def _expand(self, names: Sequence[str], known: Mapping[str, object]) -> Iterator[Answers]:
        """Answer the questions named in every legal way, all others being answered as known."""
        later = set(names)
        before = {name: value for name, value in known.items() if name not in later}
        if not names:
            yield {}
            return
        name, *rest = names
        self._worker.answers = AnswersMap(init=before)
        question = self._question(name)
        for value in self._values(question) or (cast("Answer", question.get_default()),):
            for answers in self._expand(rest, {**before, name: value}):
                yield {name: value, **answers}

    def _is_choice(self, name: str) -> bool:
        details = self.questions[name]
        return name not in EVERYTHING and (details.get("type") == "bool" or "choices" in details)

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


class Choices:
    """Answers that are given one after the other, and what remains legal after them."""

    def __init__(
        self,
        groups: Mapping[str, Group],
        made: Answers | None = None,
        left: Mapping[tuple[str, ...], int] | None = None,
    ) -> None:
        self.made: dict[str, Answer] = {**(made or {})}
        self._groups = groups
        # The rows of each group that have all the answers given, as bits.
        self._left = {**(left or {})}

    def __contains__(self, name: object) -> bool:
        """Whether it is a question with a choice."""
        return name in self._groups

    def legal(self, name: str) -> Mapping[Answer, int]:
        """Return the legal answers to a question after those given, each with the rows left."""
        group = self._groups[name]
        if name in self.made:
            return {self.made[name]: self._left[group.names]}
        return dict(group.choose(self._left.get(group.names, -1), name))

    def give(self, name: str, answer: Answer) -> None:
        """Give an answer. Raises KeyError where it is not legal any more."""
        self._left[self._groups[name].names] = self.legal(name)[answer]
        self.made[name] = answer

    def with_all(self, answers: Answers) -> "Choices | None":
        """Return these choices and more; None where they do not go together."""
        more = Choices(self._groups, self.made, self._left)
        for name, answer in answers.items():
            if answer not in more.legal(name):
                return None
            more.give(name, answer)
        return more

    def completed(self, base: Answers) -> Answers:
        """Return a whole combination with the answers given, and those of `base` where legal."""
        whole = Choices(self._groups, self.made, self._left)
        for name in self._groups:
            legal = whole.legal(name)
            whole.give(name, base[name] if base[name] in legal else next(iter(legal)))
        return {name: whole.made[name] for name in self._groups}


def sentence_of(error: ValueError) -> str:
    """Return the template's own sentence in an error of Copier."""
    return re.sub(
        r"^(?:Validation error for question|Invalid choice for) '\w+': ", "", str(error)
    ).strip()


def argument(name: str, answer: object) -> str:
    """Return an answer as Copier's `--data` wants it."""
    return f"{name}={str(answer).lower() if isinstance(answer, bool) else answer}"


def parse(space: AnswerSpace, arguments: Iterable[str]) -> Answers:
    """Return a combination with the answers that arguments name, NAME=ANSWER; others by default.

    Raises ValueError with a sentence where one is not legal, or they do not go together.
    """
    factors = {**space.factors(), "preset": ("minimal", "standard", "full")}
    found: dict[str, Answer] = {}
    for text in arguments:
        name = text.partition("=")[0]
        legal = {argument(name, value): value for value in factors.get(name, ())}
        if text not in legal:
            known = ", ".join(legal) or f"the questions are {', '.join(factors)}"
            raise ValueError(f"{text} is not an answer: {known}")
        found[name] = legal[text]
    combination = space.combination(found)
    if not space.allows(combination):
        raise ValueError(f"these answers do not go together: {' '.join(arguments)}")
    return combination


def _texts(value: object) -> Iterator[str]:
    """Yield every string in nested lists and mappings."""
    if isinstance(value, Mapping):
        value = list(cast("Mapping[object, object]", value).values())
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _allows(question: Question, value: object) -> bool:
    """Whether an answer that was recorded is legal still."""
    try:
        question.validate_answer(question.parse_answer(value))
    except (ValueError, TypeError):
        return False
    return True


def _accepts(question: Question, value: Answer) -> bool:
    try:
        question.validate_answer(value)
    except ValueError:
        return False
    return True
