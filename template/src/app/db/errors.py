"""What the caller is told when the database cannot do its work at the moment."""

from rfc9457 import StatusProblem


class DatabaseUnavailable(StatusProblem):
    """The database is away, or too busy: nothing is wrong with the request, so try it again."""

    status = 503
    title = "The database is not available."
    type_ = "database-unavailable"
    headers_ = {"Retry-After": "1"}


class TransactionConflict(DatabaseUnavailable):
    """The database undid the transaction because of another one; the same may succeed now."""

    title = "Another request came in between."
    type_ = "transaction-conflict"
