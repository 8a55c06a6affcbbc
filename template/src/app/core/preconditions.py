"""Conditional requests (RFC 9110, section 13): who has seen which version of a row."""

from typing import Annotated

from fastapi import Header, Response, status
from rfc9457 import StatusProblem

from app.core.errors import JSONObject

IfMatch = Annotated[
    str | None, Header(description="Change it only if it still has one of these ETags.")
]
IfNoneMatch = Annotated[
    str | None, Header(description="Answer 304 if it still has one of these ETags.")
]
NOT_MODIFIED: dict[int | str, JSONObject] = {
    304: {"description": "It still has one of these ETags."}
}
"""For the `responses` of a route that honours `If-None-Match`."""


class PreconditionFailed(StatusProblem):
    """The row is not what the caller saw when they decided to change it."""

    status = 412
    title = "It was changed in the meantime."
    type_ = "precondition-failed"


def etag_of(version: int) -> str:
    """The entity tag of a row's version."""
    return f'"{version}"'


def check_if_match(header: str | None, version: int) -> None:
    """Honour `If-Match`, where it was sent.

    Raises:
        PreconditionFailed: the row has another version by now.
    """
    if header is not None and header.strip() != "*" and etag_of(version) not in _tags(header):
        raise PreconditionFailed


def not_modified(header: str | None, version: int) -> Response | None:
    """The answer 304, if `If-None-Match` was sent and names the row's version."""
    # Here, as the RFC says, a weak tag is as good as a strong one.
    tags = [tag.removeprefix("W/") for tag in _tags(header or "")]
    if etag_of(version) not in tags and tags != ["*"]:
        return None
    return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag_of(version)})


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]
