"""Field types that schemas share."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints

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
