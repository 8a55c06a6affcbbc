"""Errors of the items domain."""

from rfc9457 import StatusProblem


class ItemNotFound(StatusProblem):
    """The caller has no access to an item with this id."""

    status = 404
    title = "There is no such item."
    type_ = "item-not-found"
