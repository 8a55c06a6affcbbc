"""Errors of the users domain."""

from rfc9457 import StatusProblem


class NotAuthenticated(StatusProblem):
    """The access token is missing, expired or invalid."""

    status = 401
    title = "Authentication is needed."
    type_ = "not-authenticated"
    headers_ = {"WWW-Authenticate": "Bearer"}


class EmailTaken(StatusProblem):
    """Another account has this e-mail address."""

    status = 409
    title = "The e-mail address is taken."
    type_ = "email-taken"


class InactiveUser(StatusProblem):
    """The account was deactivated."""

    status = 403
    title = "The account is not active."
    type_ = "inactive-user"


class WrongPassword(StatusProblem):
    """The current password, required for a change, is wrong."""

    status = 403
    title = "The password is wrong."
    type_ = "wrong-password"
