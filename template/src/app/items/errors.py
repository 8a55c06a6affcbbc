"""What can go wrong with items."""

from rfc9457 import StatusProblem


class ItemNotFound(StatusProblem):
    """There is no such item, or it is not the caller's: the answer does not tell which."""

    status = 404
    title = "There is no such item."
    type_ = "item-not-found"
