"""What a release must not do to services that exist: compared with the release before."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from plinth.harness.coverage import covering_array
from plinth.harness.render import MACHINERY, Renderer
from plinth.harness.space import CUSTOM, PRESETS, Answer, argument
from plinth.update import MOVES

# What belongs to the service: no update touches it.
HISTORY = "migrations/versions/"
GENERATION, PARTS = "generation", "extensions"


@dataclass(frozen=True)
class Service:
    """A service that the release before has made."""

    name: str
    recorded: Mapping[str, object]
    answers: Mapping[str, object]
    """Those that are recorded, and those that are computed."""


class Sides:
    """Two releases of a template, in folders: the one before, and the one to come."""

    def __init__(self, before: Path, after: Path) -> None:
        self.before = Renderer(before)
        self.after = Renderer(after)
        self._moves = after / MOVES

    def problems(self) -> Iterator[str]:
        """Yield a sentence for whatever would break the update of a service, each once."""
        yield from self.removed_questions()
        yield from self.vanished_paths()
        yield from dict.fromkeys(self.flipped())

    def removed_questions(self) -> Iterator[str]:
        """Yield the questions that went, and whose answers no other question takes over."""
        used = self.after.space.named_in_defaults()
        for name in self.before.space.questions:
            if name not in self.after.space.questions and name not in used:
                yield (
                    f"The question {name} is gone, and the answers that services have recorded "
                    f"with it: let the default of another one take them over, as in {{{{ {name} | "
                    "default('none') }}."
                )

    def vanished_paths(self) -> Iterator[str]:
        """Yield the paths that went without a word of where to."""
        moved = {str(move["from"]): str(move["to"]) for move in self._entries("move")}
        dropped = {str(entry["path"]) for entry in self._entries("gone")}
        there = {path for path in self.after.sources if not path.startswith(MACHINERY)}
        gone = {*self.before.sources} - there - {*moved} - dropped
        for path in sorted(gone):
            if not path.startswith((MACHINERY, HISTORY)) and not self.after.leaves_out(path):
                yield (
                    f"{path} is gone: say in moves.toml where it is now, or list /{path} last in "
                    "_exclude, so that services keep the copy that they have edited. One that no "
                    "service can keep is a [[gone]] of moves.toml."
                )
        for path in sorted({*moved.values()} - there):
            yield f"moves.toml names {path} as the new place of a file: nothing is there."

    def _entries(self, kind: str) -> Collection[Mapping[str, object]]:
        if not self._moves.is_file():
            return []
        content = tomllib.loads(self._moves.read_text("utf-8"))
        return cast("Collection[Mapping[str, object]]", content.get(kind, []))

    def flipped(self) -> Iterator[str]:
        """Yield the answers and parts that an update would change although nobody has asked."""
        new = [
            name for name in self.after.space.questions if name not in self.before.space.questions
        ]
        for service in self._services():
            after = self.after.space.updated(service.recorded)
            for name, answer in service.answers.items():
                if name not in {PARTS, "parts"} and after.get(name, answer) != answer:
                    yield (
                        f"An update would change {argument(name, answer)} to "
                        f"{argument(name, after[name])}: leave the default and the choice as they "
                        f"were, for services such as {service.name}."
                    )
            yield from _switched(service, _parts(after))
            for name in new:
                yield from self._on(service, name, after)

    def _on(self, service: Service, name: str, after: Mapping[str, object]) -> Iterator[str]:
        """Yield a new question that brings more than another answer to it would."""
        brought = {part for part, on in _parts(after).items() if on}
        for value in self.after.space.factors().get(name, ()):
            others = self.after.space.updated({**service.recorded, name: value})
            if others[name] == value and {p for p, on in _parts(others).items() if on} < brought:
                born = service.recorded[GENERATION]
                yield (
                    f"An update would answer the new question: {argument(name, after[name])} in "
                    f"services of generation {born}. Let its default depend on generation: "
                    f"{argument(name, value)} there."
                )
                return

    def _services(self) -> Iterator[Service]:
        """Yield services that record each answer, of each preset and each generation."""
        space = self.before.space
        rows: list[Mapping[str, Answer]] = [{"preset": preset} for preset in PRESETS]
        rows += [{"preset": CUSTOM, **row} for row in covering_array(space, 1)]
        born = cast("int", space.complete()[GENERATION])
        for row in rows:
            for generation in range(1, born + 1):
                given = {**row, GENERATION: cast("Answer", generation)}
                recorded = space.complete(given)
                told = " ".join(argument(name, answer) for name, answer in row.items())
                yield Service(told, recorded, space.updated(recorded))


def _switched(service: Service, after: Mapping[str, bool]) -> Iterator[str]:
    for part, was in _parts(service.answers).items():
        if after.get(part, was) != was:
            yield (
                f"An update would switch the part {part} {'off' if was else 'on'} in services such "
                f"as {service.name}: leave its condition as it was."
            )


def _parts(answers: Mapping[str, object]) -> Mapping[str, bool]:
    return cast("Mapping[str, bool]", answers.get(PARTS, {}))
