"""What schemas share: types of fields, and the base of changes."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, StringConstraints

from app.core.openapi import JSONObject

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


def _encodable(secret: SecretStr) -> SecretStr:
    """Refuse a lone surrogate, which JSON can express and UTF-8 cannot."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        message = "is not valid Unicode"
        raise ValueError(message) from None
    return secret


Secret = Annotated[SecretStr, AfterValidator(_encodable)]
"""A password or a token, masked in logs and error messages."""


def _without_defaults(schema: JSONObject) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)


class Changes(BaseModel):
    """The body of a PATCH: a field that is omitted stays as it is.

    The fields need defaults to be optional. The OpenAPI document does not name these: a client that
    filled them in would overwrite data. What was sent is what dumping without unset fields returns.
    """

    model_config = ConfigDict(json_schema_extra=_without_defaults)
