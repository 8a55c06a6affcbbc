"""What can go wrong with refresh tokens."""

from app.core.security import NotAuthenticated


class InvalidRefreshToken(NotAuthenticated):
    """The token is unknown, expired, used before, or was revoked: log in again."""

    title = "The refresh token is not valid."
    type_ = "invalid-refresh-token"
