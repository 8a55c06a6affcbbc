"""What schemas share: types of fields, the base of changes, and the headers of responses."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

JSONObject = dict[str, Any]

# Not every database stores NUL: without this check such a request would be a 500.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text without NUL characters."""
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""A single line: 1 to 200 characters after trimming, without control characters."""

HEADERS = {
    "ETag": "The version of the content, for `If-Match` and `If-None-Match`.",
    "Link": 'The URL of the next page, with `rel="next"` (RFC 8288); absent on the last page.',
    "Location": "The URL of what was created.",
    "Retry-After": "Seconds after which the request may be repeated.",
    "WWW-Authenticate": "The scheme of authentication.",
    "X-Request-ID": "The id of the request, which its lines in the log have too.",
}
"""What the headers of responses mean. Scripts on pages of the allowed origins may read them."""


def with_headers(*names: str) -> JSONObject:
    """The part of a response that describes these headers, for the `responses` of a route."""
    return {
        "headers": {
            name: {"description": HEADERS[name], "schema": {"type": "string"}} for name in names
        }
    }


def _without_defaults(schema: JSONObject) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)


class Changes(BaseModel):
    """The body of a PATCH: a field that is omitted stays as it is.

    The fields need defaults to be optional. The OpenAPI document does not name these: a client that
    filled them in would overwrite data. What was sent is what dumping without unset fields returns.
    """

    model_config = ConfigDict(json_schema_extra=_without_defaults)
