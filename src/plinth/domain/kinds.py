"""What a field of each type is in the model, in the schemas and in the tests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from plinth.domain.fields import Field
from plinth.domain.names import Names

Json: TypeAlias = "str | int | bool | dict[str, object] | None"

PLACES = 2
"""The decimal places of a decimal."""
DIGITS = 12


@dataclass(frozen=True)
class Kind:
    """A type of fields."""

    python: str
    """The annotation in the model."""
    column: str = ""
    """SQLAlchemy's type, where the annotation does not say it."""
    schema: str = ""
    """The annotation in request bodies; that of the model if empty."""
    constraint: str = ""
    """Arguments of pydantic's `Field` in request bodies."""
    check: str = ""
    """A function that a request's value goes through; see CHECKS."""
    zero: str = ""
    """A value that marks the field of a PATCH as optional."""
    samples: tuple[Json, ...] = ()
    """Three values as they are sent and returned."""
    refused: tuple[object, ...] = ()
    """Values that are sent and refused."""
    empty: bool = False
    """Whether `zero` is what a new row has that names no value."""


KINDS: Mapping[str, Kind] = {
    "line": Kind(
        *("str", "String(200)", "Line"),
        zero='""',
        refused=("", "two\nlines", "nul\0", "x" * 201, 7),
    ),
    "text": Kind(
        *("str", "Text", "Text", "max_length=5000"),
        zero='""',
        refused=("nul\0", "x" * 5001, 7),
        empty=True,
    ),
    "int": Kind(
        "int",
        constraint="ge=-(2**31), lt=2**31",
        zero="0",
        samples=(3, 0, -7),
        refused=(2**31, -(2**31) - 1, 1.5, "many"),
    ),
    "decimal": Kind(
        *("Decimal", f"Numeric({DIGITS}, {PLACES})"),
        constraint=f"max_digits={DIGITS}, decimal_places={PLACES}",
        check="_to_cents",
        zero="Decimal(0)",
        samples=("19.90", "0.00", "-1234567890.12"),
        refused=("0.001", "12345678901", "NaN", "many"),
    ),
    "date": Kind(
        "date",
        zero="date.min",
        samples=("2026-01-31", "2024-02-29", "1999-12-31"),
        refused=("2026-02-30", "soon"),
    ),
    "datetime": Kind(
        *("datetime", "", "AwareDatetime"),
        constraint="ge=EARLIEST, lt=LATEST",
        check="_in_utc",
        zero="EARLIEST",
        samples=("2026-01-31T12:30:00Z", "2024-02-29T23:59:59.123456Z", "1999-12-31T00:00:00Z"),
        refused=("2026-01-31T12:30:00", "0001-01-01T00:00:00+14:00", "soon"),
    ),
    "bool": Kind(
        "bool", zero="False", samples=(True, False, True), refused=("perhaps", 2), empty=True
    ),
    "json": Kind(
        *("dict[str, Any]", "JSON", "dict[str, JsonValue]"),
        check="_storable",
        zero="{}",
        samples=({"colour": "blue", "sizes": [1, 2]}, {}, {"nested": {"empty": None}}),
        refused=([], "text", {"nul\0": 1}, {"nul": "\0"}),
        empty=True,
    ),
}

# Functions that schemas get where a field needs them. What is returned is what the database would
# return, so that a response after a change equals the next one.
CHECKS = {
    "_to_cents": '''
def _to_cents(value: Decimal) -> Decimal:
    """The value as the database returns it: with two decimal places, and no negative zero."""
    return value.quantize(Decimal("0.01")) + 0
''',
    "_in_utc": '''
def _in_utc(time: datetime) -> datetime:
    """The time as the database returns it."""
    return time.astimezone(UTC)
''',
    "_storable": '''
def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse what JSON allows and not every database stores: NUL, and values without end."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    if "\\\\u0000" in text or len(text) > MAX_JSON:
        message = f"has NUL characters, or more than {MAX_JSON} in all"
        raise ValueError(message)
    return value
''',
}
CONSTANTS = {
    "_in_utc": (
        "# What every database stores, in whichever time zone it was sent.\n"
        "EARLIEST = datetime(1000, 1, 2, tzinfo=UTC)\n"
        "LATEST = datetime(9999, 12, 31, tzinfo=UTC)\n"
    ),
    "_storable": "MAX_JSON = 10_000\n",
}


def kind_of(field: Field, names: Names) -> Kind:
    """Return what a field is; that of an enum and of a reference depends on the field."""
    if field.kind == "enum":
        first, second, *more = field.values
        return Kind(
            *(f"{names.model}{field.alias}", f"String({50})", ""),
            zero=json.dumps(first),
            samples=(first, second, *(more[:1] or [first])),
            refused=("unknown", 7),
        )
    if field.kind == "reference":
        return Kind("UUID", zero="UUID(int=0)", refused=("unknown", 7))
    if field.kind in {"line", "text"}:
        word = field.name.replace("_", " ").capitalize()
        more = "\nof two lines" if field.kind == "text" else ""
        samples = (f"{word} 1", f"{word} 2{more}", f"{word} 3")
        return replace(KINDS[field.kind], samples=samples)
    return KINDS[field.kind]


def column(field: Field, names: Names, *, orm: str, database: str, rendered: str) -> str:
    """Return the lines of a field in the model.

    `rendered` is the model of the release's example: identifiers and times are as they are there.
    """
    kind = kind_of(field, names)
    annotation = f"{kind.python} | None" if field.optional else kind.python
    type_ = kind.column
    if database == "sqlite" and field.kind == "decimal":
        type_ = "FixedPoint"
    if database == "postgresql" and field.kind == "json":
        type_ = "JSONB"
    write: Callable[..., str] = _sqlmodel if orm == "sqlmodel" else _sqlalchemy
    return f"    {field.name}: {write(field, annotation, type_, rendered)}\n"


def _sqlalchemy(field: Field, annotation: str, type_: str, _rendered: str) -> str:
    if field.kind == "reference":
        action = "SET NULL" if field.optional else "CASCADE"
        type_ = f'ForeignKey("{field.target}.id", ondelete="{action}"), index=True'
    return f"Mapped[{annotation}]" + (f" = mapped_column({type_})" if type_ else "")


def _sqlmodel(field: Field, annotation: str, type_: str, rendered: str) -> str:
    arguments = ["default=None"] if field.optional else []
    if field.kind == "line":
        arguments.append("max_length=200")
    elif field.kind == "decimal" and type_ != "FixedPoint":
        arguments += [f"max_digits={DIGITS}", f"decimal_places={PLACES}"]
    elif field.kind == "enum":
        arguments.append(f"sa_column=Column({type_}, nullable={field.optional})")
    elif field.kind == "reference":
        action = "SET NULL" if field.optional else "CASCADE"
        arguments += [f'foreign_key="{field.target}.id"', f'ondelete="{action}"', "index=True"]
        if "sa_type=IDENTIFIER" in rendered:
            arguments.append("sa_type=IDENTIFIER")
    elif field.kind == "datetime" and "sa_type=UTCDateTime" in rendered:
        arguments.append("sa_type=UTCDateTime")
    elif type_:
        arguments.append(f"sa_type={type_}")
    return annotation + (f" = Field({', '.join(arguments)})" if arguments else "")


def alias(field: Field, names: Names, samples: str) -> str:
    """Return the line that names a field's type in request bodies."""
    kind = kind_of(field, names)
    arguments = [kind.schema or kind.python]
    constraint = f"{kind.constraint}, " if kind.constraint else ""
    arguments.append(f"Field({constraint}examples=[{samples}])")
    if kind.check:
        arguments.append(f"AfterValidator({kind.check})")
    return f"{field.alias} = Annotated[{', '.join(arguments)}]\n"
