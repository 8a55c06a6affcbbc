"""Types that requests and answers share."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints

# Not every database stores NUL; without this pattern it would answer with an error of its own.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text that the database can hold."""
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""A single line: 1 to 200 characters after trimming, none of them a control character."""


def _encodable(secret: SecretStr) -> SecretStr:
    """Refuse a lone surrogate, which JSON can express and UTF-8 cannot."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        message = "is not valid Unicode"
        raise ValueError(message) from None
    return secret


Secret = Annotated[SecretStr, AfterValidator(_encodable)]
"""A password or a token, which no log and no error repeats."""
