"""Errors as problem details (RFC 9457), in one place for the whole API.

Domains raise subclasses of `rfc9457.StatusProblem`. Any other exception is a 500 whose response
reveals nothing of the implementation.
"""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Response, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.requests import HTTPConnection
from rfc9457 import Problem, StatusProblem
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException, WebSocketException
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.websockets import WebSocketState

from app.core.schemas import HEADERS, JSONObject, with_headers
from app.db.errors import ConstraintViolated, DatabaseUnavailable

logger = structlog.stdlib.get_logger("app.errors")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SCHEMA: JSONObject = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Identifies the kind of problem."},
        "title": {"type": "string", "description": "Describes it for people."},
        "status": {"type": "integer", "description": "The status code of the response."},
        "detail": {"type": "string", "description": "What is particular to this request."},
        "request_id": {"type": "string", "description": HEADERS["X-Request-ID"]},
        "errors": {
            "type": "array",
            "description": "What is invalid, in a response with the status 422.",
            "items": {
                "type": "object",
                "required": ["type", "loc", "msg"],
                "properties": {
                    "type": {"type": "string", "description": "Identifies the rule."},
                    "loc": {
                        "type": "array",
                        "items": {"type": ["string", "integer"]},
                        "description": 'The path to the field, such as `["body", "title"]`.',
                    },
                    "msg": {"type": "string", "description": "Describes the rule for people."},
                },
            },
        },
    },
}
"""The schema of every error's body."""


class InternalError(StatusProblem):
    """An unhandled exception. Its cause is logged and never part of the response."""

    title = "Internal server error."
    type_ = "internal-error"


class Conflict(StatusProblem):
    """A change violates a unique, foreign key or exclusion constraint of the database."""

    status = 409
    title = "The change conflicts with existing data."
    type_ = "conflict"


def problem_responses(*errors: type[StatusProblem]) -> dict[int | str, JSONObject]:
    """The `responses` of a route that raises these errors, for the OpenAPI document."""
    responses: dict[int | str, JSONObject] = {}
    for error in errors:
        response = responses.setdefault(
            error.status, problem_response(HTTPStatus(error.status).phrase)
        )
        examples = response["content"]["application/problem+json"]["examples"]
        examples[error.__name__] = {"value": error().marshal()}
        response["headers"] |= with_headers(*error.headers_ or ())["headers"]
    return responses


def problem_response(description: str) -> JSONObject:
    """A response whose body is a problem, to which examples and headers can be added."""
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    return {
        "description": description,
        "content": {"application/problem+json": content},
        "headers": {},
    }


def install_errors(app: FastAPI) -> None:
    """Respond to every error with `application/problem+json`."""
    for kind in (
        Exception,
        Problem,
        HTTPException,
        RequestValidationError,
        WebSocketRequestValidationError,
        ConstraintViolated,
        PoolTimeoutError,
    ):
        app.add_exception_handler(kind, _respond)
    app.router.responses = {
        422: problem_response("The request is invalid."),
        **problem_responses(InternalError),
    }


async def _respond(connection: HTTPConnection, error: Exception) -> Response:
    problem = _problem_of(error, connection)
    if isinstance(connection, WebSocket) and not _is_refusable(connection):
        # A violation of the policy, or an internal error (RFC 6455, section 7.4.1).
        code = 1008 if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR else 1011
        raise WebSocketException(code, problem.title)
    return JSONResponse(
        {**problem.marshal(), "request_id": connection.state.request_id},
        problem.status,
        # A cache may keep a 404 otherwise; of errors of log-in none may be kept (RFC 6749, 5.2).
        {**(problem.headers or {}), "Cache-Control": "no-store"},
        media_type="application/problem+json",
    )


def _is_refusable(websocket: WebSocket) -> bool:
    """Whether the handshake can still be refused with a response; not all servers support it."""
    return (
        websocket.application_state is WebSocketState.CONNECTING
        and "websocket.http.response" in websocket.scope.get("extensions", {})
    )


def _problem_of(error: Exception, connection: HTTPConnection) -> Problem:
    """What an error is to the client."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _http_problem(error, connection)
        case RequestValidationError() | WebSocketRequestValidationError():
            # The input is not repeated: it may be a password.
            errors = [{key: item[key] for key in ("type", "loc", "msg")} for item in error.errors()]
            return Problem("The request is invalid.", "invalid-request", status=422, errors=errors)
        case ConstraintViolated():
            logger.info("conflict", constraint=error.constraint)
            return Conflict()
        case PoolTimeoutError():
            logger.warning("no free connection", reason=str(error))
            return DatabaseUnavailable()
        case _:
            return InternalError()


def _http_problem(error: HTTPException, connection: HTTPConnection) -> Problem:
    phrase = HTTPStatus(error.status_code).phrase
    headers = {**(error.headers or {})}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette lists the methods of the first route with this path only.
        headers["Allow"] = ", ".join(
            method
            for method in METHODS
            if any(
                route.matches({**connection.scope, "method": method})[0] is Match.FULL
                for route in connection.app.routes
            )
        )
    return Problem(
        phrase,
        f"http-{phrase.lower().replace(' ', '-')}",
        error.detail,
        error.status_code,
        headers,
    )
