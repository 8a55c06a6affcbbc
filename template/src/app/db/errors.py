"""Problems that a client is told of when the database cannot serve its request at the moment."""

from rfc9457 import StatusProblem


class DatabaseUnavailable(StatusProblem):
    """The database is unreachable or overloaded; the client may retry the request."""

    status = 503
    title = "The database is not available."
    type_ = "database-unavailable"
    headers_ = {"Retry-After": "1"}


class TransactionConflict(DatabaseUnavailable):
    """The database rolled the transaction back, after a deadlock for instance; a retry may pass."""

    title = "The request conflicted with another one."
    type_ = "transaction-conflict"
