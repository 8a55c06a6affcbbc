"""What a value is kept under: the rows that it is made of, and the form that it has."""

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from typing import Generic, NewType, Self, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import class_mapper

Row = NewType("Row", str)
Value = TypeVar("Value", bound=BaseModel)


def row(model: type[object], *identity: object) -> Row:
    """The row of a model with this primary key."""
    return Row(f"{class_mapper(model).base_mapper.local_table}/{'/'.join(map(str, identity))}")


@lru_cache
def _form(kind: type[BaseModel]) -> str:
    """A name that changes with the fields: releases that run side by side keep their own values."""
    schema = json.dumps(kind.model_json_schema(), sort_keys=True)
    return f"{kind.__name__}.{sha256(schema.encode()).hexdigest()[:8]}"


class Entry(Generic[Value]):
    """A value, whether it is kept or not.

    It is stored with the versions that its rows had before it was loaded. A row that changes gets
    another version, so that also a value that somebody was just about to store is none any more.
    """

    def __init__(self, prefix: str, kind: type[Value], rows: Sequence[Row]) -> None:
        self._kind = kind
        self.key = ":".join((prefix, _form(kind), *rows))
        self.rows = [f"{prefix}:{name}" for name in rows]
        self.versions = b""
        self.value: Value | None = None

    def found(self, stored: bytes | None, *versions: bytes | None) -> Self:
        """Take what is stored, and which versions the rows have now."""
        self.versions = b" ".join(version or b"-" for version in versions)
        made_of, _, text = (stored or b"").partition(b"\n")
        if text and made_of == self.versions:
            with suppress(ValidationError):
                self.value = self._kind.model_validate_json(text)
        return self

    def stored(self, value: Value) -> bytes:
        """What is to be stored."""
        return self.versions + b"\n" + value.model_dump_json().encode()
