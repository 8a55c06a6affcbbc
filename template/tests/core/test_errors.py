"""Errors as problem details."""

from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import BaseModel, SecretStr

SECRET = "never-in-an-answer"


class Body(BaseModel):
    """Something that can be wrong."""

    password: SecretStr
    amount: int


router = APIRouter()


@router.get("/fails")
def fail() -> None:
    """Something unexpected."""
    raise RuntimeError(SECRET)


@router.get("/teapot")
def teapot() -> None:
    """An error with a header."""
    raise HTTPException(418, "short and stout", headers={"Retry-After": "7"})


@router.post("/bodies")
def take(body: Body) -> int:
    """A body that is validated."""
    return body.amount


@router.delete("/bodies", status_code=204)
def drop() -> None:
    """Another method on the same path."""


@pytest.fixture
def client(app: FastAPI, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client of the application with routes that fail."""
    app.include_router(router)
    return client


def check(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Every error has the same shape."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["type"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


async def test_unknown_route(client: httpx2.AsyncClient) -> None:
    check(await client.get("/nowhere"), 404)


async def test_wrong_method_names_all_that_are_allowed(client: httpx2.AsyncClient) -> None:
    answer = await client.put("/bodies")
    check(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == {"POST", "DELETE"}


async def test_http_exception_keeps_its_headers(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/teapot")
    assert check(answer, 418)["detail"] == "short and stout"
    assert answer.headers["retry-after"] == "7"


async def test_unexpected_error_tells_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/fails")
    assert check(answer, 500)["type"] == "internal-error"
    assert SECRET not in answer.text


async def test_invalid_request_says_where_and_never_repeats_the_input(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post("/bodies", json={"password": [SECRET], "amount": SECRET})
    errors = check(answer, 422)["errors"]
    assert [error["loc"] for error in errors] == [["body", "password"], ["body", "amount"]]
    assert SECRET not in answer.text


@pytest.mark.parametrize("content", ["{", '{"password": "x", "amount": NaN}', '"\\ud800"'])
async def test_strange_json_is_refused_not_failed_on(
    client: httpx2.AsyncClient, content: str
) -> None:
    answer = await client.post(
        "/bodies", content=content, headers={"content-type": "application/json"}
    )
    check(answer, 422)


def test_every_operation_describes_its_errors_as_problems(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            assert "500" in responses, (method, path)
            for status, response in responses.items():
                if status >= "4":
                    assert list(response["content"]) == ["application/problem+json"]


def test_refusals_are_documented(app: FastAPI) -> None:
    assert "503" in app.openapi()["paths"]["/readyz"]["get"]["responses"]
