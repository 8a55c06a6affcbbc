"""Cache keys and versions of the rows that a cached value contains."""

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
def _fingerprint(kind: type[BaseModel]) -> str:
    """Changes with the fields, so that releases that run side by side use different keys."""
    schema = json.dumps(kind.model_json_schema(), sort_keys=True)
    return f"{kind.__name__}.{sha256(schema.encode()).hexdigest()[:8]}"


class Entry(Generic[Value]):
    """A value of one kind, cached or not.

    It is stored with the versions that its rows had before it was loaded. A change gives a row a
    new version, which also invalidates a value that was loaded before the change and stored after.
    """

    def __init__(self, prefix: str, kind: type[Value], rows: Sequence[Row]) -> None:
        self._kind = kind
        self.key = ":".join((prefix, _fingerprint(kind), *rows))
        self.rows = [f"{prefix}:{name}" for name in rows]
        self.versions = b""
        self.value: Value | None = None

    def found(self, stored: bytes | None, *versions: bytes | None) -> Self:
        """Take over what is stored, and the current versions of the rows."""
        self.versions = b" ".join(version or b"-" for version in versions)
        stored_versions, _, text = (stored or b"").partition(b"\n")
        if text and stored_versions == self.versions:
            with suppress(ValidationError):
                self.value = self._kind.model_validate_json(text)
        return self

    def stored(self, value: Value) -> bytes:
        """The bytes to store."""
        return self.versions + b"\n" + value.model_dump_json().encode()
