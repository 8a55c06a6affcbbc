"""What can go wrong with users."""

from rfc9457 import StatusProblem


class EmailTaken(StatusProblem):
    """Another user has this address."""

    status = 409
    title = "The e-mail address is taken."
    type_ = "email-taken"


class InactiveUser(StatusProblem):
    """The account was switched off."""

    status = 403
    title = "The account is not active."
    type_ = "inactive-user"


class WrongPassword(StatusProblem):
    """The current password, asked for again, is not right."""

    status = 403
    title = "The password is wrong."
    type_ = "wrong-password"
