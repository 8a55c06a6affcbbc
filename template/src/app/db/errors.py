"""Errors of the database: those that a retry may cure, and violated constraints."""

from rfc9457 import StatusProblem
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError


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


class ConstraintViolated(IntegrityError):
    """A change conflicts with other rows: by a unique, foreign key or exclusion constraint.

    Other violations, of NOT NULL for instance, are mistakes of the service, and stay a plain
    `IntegrityError`.
    """

    def __init__(self, context: ExceptionContext, constraint: str) -> None:
        super().__init__(
            context.statement, context.parameters, context.original_exception, hide_parameters=True
        )
        self.constraint = constraint
