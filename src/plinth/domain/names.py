"""What a domain is called in code, in paths and in prose."""

import keyword
import re
from dataclasses import dataclass

from plinth.errors import StoppedError

# Digits would not do: the names of endpoints are ids in the OpenAPI document, of letters and _.
NAME = re.compile("[a-z]+(_[a-z]+)*")
LONGEST = 40
# What sounds like a vowel, and the other way round.
AN = re.compile("(?!eu|one|uni[^nm]|us[eaiu]|uti)[aeiou]|heir|honest|honou?r|hour")


@dataclass(frozen=True)
class Names:
    """The names of a domain: `invoice_lines`, of which one is an `invoice_line`."""

    plural: str
    singular: str

    @classmethod
    def of(cls, plural: str, singular: str = "") -> "Names":
        """Check what a user calls a domain. Raises StoppedError for what cannot be its name."""
        _check(plural)
        if singular:
            _check(singular)
        else:
            singular = singular_of(plural)
        if singular == plural:
            raise StoppedError(
                f"One of {plural} needs a name of its own: --singular {plural}_entry, for instance."
            )
        return cls(plural, singular)

    @property
    def model(self) -> str:
        """The name of the model's class, with which those of schemas begin."""
        return camel(self.singular)

    @property
    def path(self) -> str:
        """The last part of the URL of the list."""
        return self.plural.replace("_", "-")

    @property
    def problem(self) -> str:
        """What the types of problems begin with."""
        return self.singular.replace("_", "-")

    @property
    def many(self) -> str:
        """The plural in prose."""
        return self.plural.replace("_", " ")

    @property
    def one(self) -> str:
        """The singular in prose."""
        return self.singular.replace("_", " ")

    @property
    def a(self) -> str:
        """The indefinite article of the singular."""
        return "an" if AN.match(self.singular) else "a"


def camel(name: str) -> str:
    """Return a name as classes are called."""
    return "".join(word.capitalize() for word in name.split("_"))


def singular_of(plural: str) -> str:
    """Return what one of them is called, by three rules. Raises StoppedError where none applies.

    Whoever needs another word says so: a guess would be in every file.
    """
    for ending, other in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if plural.endswith(ending) and not plural.endswith(("ss", "us", "is")):
            return plural.removesuffix(ending) + other
    raise StoppedError(
        f"{plural} does not look like a plural: write {plural}s if that is what you mean, or say "
        f"what one of them is called: --singular NAME."
    )


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise StoppedError(
            f"{name!r} cannot be the name of a domain: it takes lower-case letters, and _ between "
            "words, such as invoice_lines."
        )
    if keyword.iskeyword(name):
        raise StoppedError(f"{name} is a keyword of Python: choose another name.")
    if len(name) > LONGEST:
        raise StoppedError(f"{name} is longer than {LONGEST} characters: choose a shorter name.")
