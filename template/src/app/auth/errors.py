"""What can go wrong with refresh tokens."""

from typing import ClassVar

from rfc9457 import StatusProblem


class InvalidRefreshToken(StatusProblem):
    """The token is unknown, expired, used before, or was revoked: log in again."""

    status = 401
    title = "The refresh token is not valid."
    type_ = "invalid-refresh-token"
    headers_: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}
