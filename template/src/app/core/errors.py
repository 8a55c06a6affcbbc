"""Errors as problem details (RFC 9457), in one place for the whole API.

Domains raise subclasses of `rfc9457.StatusProblem`. Any other exception is a 500 whose response
reveals nothing of the implementation.
"""

import json
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi_problem.handler import ExceptionHandler, http_exception_handler_
from rfc9457 import Problem, StatusProblem
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException, WebSocketException
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.websockets import WebSocketState

from app.core.schemas import HEADERS, JSONObject, with_headers
from app.db.errors import ConstraintViolated, DatabaseUnavailable

logger = structlog.stdlib.get_logger("app.errors")

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


TRANSLATED: dict[type[Exception], type[StatusProblem]] = {
    ConstraintViolated: Conflict,
    PoolTimeoutError: DatabaseUnavailable,
}


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
    handler = ExceptionHandler(
        handlers={
            HTTPException: _http_problem,
            RequestValidationError: _validation_problem,
            WebSocketRequestValidationError: _validation_problem,
            **dict.fromkeys(TRANSLATED, _translated_problem),
            Exception: _internal_error,
        },
        post_hooks=[_add_request_id],
    )

    async def respond(request: Request, error: Exception) -> Response:
        response = handler(request, error)
        if isinstance(request, WebSocket) and not _is_refusable(request):
            # A violation of the policy, or an internal error (RFC 6455, section 7.4.1).
            code = 1008 if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else 1011
            raise WebSocketException(code, json.loads(bytes(response.body))["title"])
        return response

    for kind in (
        Exception,
        Problem,
        HTTPException,
        RequestValidationError,
        WebSocketRequestValidationError,
        *TRANSLATED,
    ):
        app.add_exception_handler(kind, respond)
    app.router.responses = {
        422: problem_response("The request is invalid."),
        **problem_responses(InternalError),
    }


def _is_refusable(websocket: WebSocket) -> bool:
    """Whether the handshake can still be refused with a response; not all servers support it."""
    return (
        websocket.application_state is WebSocketState.CONNECTING
        and "websocket.http.response" in websocket.scope.get("extensions", {})
    )


def _internal_error(_handler: ExceptionHandler, _request: Request, _error: Exception) -> Problem:
    """Drop the text of the exception: it may contain SQL, parameters or secrets."""
    return InternalError()


def _translated_problem(_handler: ExceptionHandler, _request: Request, error: Exception) -> Problem:
    if isinstance(error, ConstraintViolated):
        logger.info("conflict", constraint=error.constraint)
    else:
        logger.warning("no free connection", reason=str(error))
    return TRANSLATED[type(error)]()


def _validation_problem(
    _handler: ExceptionHandler, _request: Request, error: RequestValidationError
) -> Problem:
    """Say what is invalid and where, without repeating the input: it may be a password."""
    errors = [{key: item[key] for key in ("type", "loc", "msg")} for item in error.errors()]
    return Problem("The request is invalid.", "invalid-request", status=422, errors=errors)


def _http_problem(handler: ExceptionHandler, request: Request, error: HTTPException) -> Problem:
    problem = http_exception_handler_(handler, request, error)
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette lists the methods of the first route with this path only.
        problem.headers = {"Allow": ", ".join(_allowed_methods(request))}
    return problem


def _allowed_methods(request: Request) -> list[str]:
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _add_request_id(
    content: JSONObject, request: Request, response: JSONResponse
) -> tuple[JSONObject, Response]:
    content = {**content, "request_id": request.state.request_id}
    response.body = response.render(content)
    # A cache may keep a 404 otherwise; of errors of log-in no cache may keep any (RFC 6749, 5.2).
    response.headers["cache-control"] = "no-store"
    return content, response
