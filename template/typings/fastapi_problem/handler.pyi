"""What the service uses of fastapi-problem, with the types that the package leaves open."""

from collections.abc import Callable
from typing import Any, TypeAlias

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from rfc9457 import Problem
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

PostHook: TypeAlias = Callable[
    [dict[str, Any], Request, JSONResponse], tuple[dict[str, Any], Response]
]

class ExceptionHandler:
    handlers: dict[type[Exception], Callable[[ExceptionHandler, Request, Any], Problem]]
    def __call__(self, request: Request, exc: Exception) -> Response: ...

def http_exception_handler_(
    eh: ExceptionHandler, _request: Request, exc: HTTPException
) -> Problem: ...
def new_exception_handler(
    *,
    unhandled_wrappers: dict[str, Callable[[str], Problem]],
    handlers: dict[type[Exception], Callable[[ExceptionHandler, Request, Any], Problem]],
    http_exception_handler: Callable[[ExceptionHandler, Request, HTTPException], Problem],
    request_validation_handler: Callable[
        [ExceptionHandler, Request, RequestValidationError], Problem
    ],
    post_hooks: list[PostHook],
) -> ExceptionHandler: ...
