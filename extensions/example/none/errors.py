"""What can go wrong with items."""

from rfc9457 import StatusProblem


class ItemNotFound(StatusProblem):
    """There is no such item."""

    status = 404
    title = "There is no such item."
    type_ = "item-not-found"
