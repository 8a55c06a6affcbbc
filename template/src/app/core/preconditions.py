"""Conditional requests (RFC 9110, section 13) by the version of a row."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Header, Response, status
from rfc9457 import StatusProblem

from app.core.schemas import JSONObject, with_headers

IfMatch = Annotated[
    str | None, Header(description="Apply the change only if the ETag is one of these.")
]
IfNoneMatch = Annotated[
    str | None, Header(description="Respond with 304 if the ETag is one of these.")
]
ETAG = re.compile('"[1-9][0-9]{0,17}"')
NOT_MODIFIED: dict[int | str, JSONObject] = {
    304: {"description": "The ETag is one of those in `If-None-Match`.", **with_headers("ETag")}
}
"""For the `responses` of a route that honours `If-None-Match`."""


class PreconditionFailed(StatusProblem):
    """The row was changed after the client read it."""

    status = 412
    title = "It was changed in the meantime."
    type_ = "precondition-failed"


def etag_of(version: int) -> str:
    """The entity tag of a row's version."""
    return f'"{version}"'


def versions_of(header: str | None) -> Sequence[int] | None:
    """The versions that `If-Match` names; None if any will do."""
    if header is None or header.strip() == "*":
        return None
    return [int(tag.strip('"')) for tag in _tags(header) if ETAG.fullmatch(tag)]


def check_version(version: int, expected: Sequence[int] | None) -> None:
    """Check the version of a row that is about to change.

    Raises:
        PreconditionFailed: it is none of those that are expected.
    """
    if expected is not None and version not in expected:
        raise PreconditionFailed


def not_modified(header: str | None, version: int) -> Response | None:
    """A 304 response, if `If-None-Match` was sent and matches the row's version."""
    # The comparison is weak (RFC 9110, section 13.1.2): a weak tag equals the strong one.
    tags = [tag.removeprefix("W/") for tag in _tags(header or "")]
    if etag_of(version) not in tags and tags != ["*"]:
        return None
    return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag_of(version)})


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]
