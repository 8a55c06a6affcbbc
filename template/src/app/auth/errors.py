"""Errors of refresh tokens."""

from app.users.errors import NotAuthenticated


class InvalidRefreshToken(NotAuthenticated):
    """The refresh token is unknown, expired, revoked or already used; a new log-in is needed."""

    title = "The refresh token is not valid."
    type_ = "invalid-refresh-token"
