"""What the configurator page of the docs has to know: questions, defaults, refusals, files.

All of it is computed from the template's own questions by Copier. A default, and a refusal, depends
on few other answers: each is written as a table of those.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from plinth.harness.render import MACHINERY, Reading, Renderer
from plinth.harness.space import CUSTOM, PRESETS, Answer

Json: TypeAlias = "str | bool | int | Sequence[Json] | Mapping[str, Json] | None"
# A later question that was not given by `--data` has no value yet.
ABSENT = None


class Tables:
    """The tables of a template."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._space = renderer.space
        presets = (*PRESETS, CUSTOM)
        factors: dict[str, Sequence[Answer]] = {"preset": presets, **self._space.factors()}
        self._factors = {name: factors[name] for name in self._space.questions if name in factors}
        complete = self._space.complete()
        self._texts = {name: value for name, value in complete.items() if name not in factors}

    def all(self) -> Mapping[str, Json]:
        """Return everything, as the page reads it."""
        return {
            "combinations": len(self._space),
            "questions": [self._question(name) for name in self._factors],
            "parts": {part: self._part(part) for part in self._renderer.conditions},
            "files": self._files(),
        }

    def _question(self, name: str) -> Mapping[str, Json]:
        message = " ".join(self._space.messages().get(name, name).split())
        return {
            "name": name,
            "message": message,
            "values": [*self._factors[name]],
            "default": self._default(name),
            "refusals": self._refusals(name),
        }

    def _default(self, name: str) -> Mapping[str, Json]:
        """Return the answers that a default depends on, and it for each of their values."""
        reads = [n for n in self._space.reads(name, "default") if n in self._factors]
        rows = [
            [*values, self._answer(self._space.default(name, {**self._texts, **known}))]
            for values, known in self._ways(reads)
        ]
        return {"reads": reads, "rows": rows}

    def _refusals(self, name: str) -> Mapping[str, Json]:
        """Return the answers that decide about an answer, and each refused row with its sentence.

        The answer itself is the last column before the sentence.
        """
        named = self._space.reads(name, "choices", "validator")
        reads = [n for n in named if n in self._factors and n != name]
        rows: list[Json] = []
        later = self._later(name)
        for values, known in self._ways(reads, later):
            for value in self._factors[name]:
                told = self._space.refusal(name, value, {**self._texts, **known})
                if told:
                    rows.append([*values, value, told])
        return {"reads": reads, "rows": rows}

    def _later(self, name: str) -> set[str]:
        order = [*self._factors]
        return {*order[order.index(name) + 1 :]}

    def _ways(
        self, names: Sequence[str], later: set[str] | None = None
    ) -> Iterator[tuple[tuple[Answer | None, ...], Mapping[str, object]]]:
        """Yield every row of answers to some questions; a later one may have none yet."""
        choices: list[Sequence[Answer | None]] = [
            [*self._factors[name], *([ABSENT] if later and name in later else [])] for name in names
        ]
        for values in itertools.product(*choices):
            pairs = zip(names, values, strict=True)
            yield values, {name: value for name, value in pairs if value is not ABSENT}

    def _answer(self, value: object) -> Answer:
        if isinstance(value, bool | str):
            return value
        raise TypeError(f"{value!r} is no answer to a question with a choice")

    def _part(self, part: str) -> Sequence[Json]:
        """Return the rows of answers that turn a part on."""

        def is_on(reading: Reading) -> bool:
            return reading.part(part)

        return [dict(found.answers) for found in self._renderer.explore(is_on) if found.result]

    def _files(self) -> Sequence[Json]:
        """Return each path, and lists of parts: of each of these lists one has to be on."""
        owners = self._renderer.owners
        own = (path for path in self._renderer.sources if not path.startswith(MACHINERY))
        return [[path, [[*parts] for parts in owners[path]]] for path in sorted(own)]
