"""Errors as problem details."""

from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import BaseModel, SecretStr

from app.core.errors import problem_responses
from app.db.errors import DatabaseUnavailable

SECRET = "never-in-a-response"


class Body(BaseModel):
    """A body with a secret."""

    password: SecretStr
    amount: int


router = APIRouter()


@router.get("/fails")
def fail() -> None:
    """Raise what no handler expects."""
    raise RuntimeError(SECRET)


@router.get("/teapot")
def teapot() -> None:
    """Raise an error with a header."""
    raise HTTPException(418, "short and stout", headers={"Retry-After": "7"})


@router.post("/bodies")
def take(body: Body) -> int:
    """Validate a body."""
    return body.amount


@router.delete("/bodies", status_code=204)
def drop() -> None:
    """Be a second method of this path."""


@pytest.fixture
def client(app: FastAPI, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client of the application, which has routes that fail."""
    app.include_router(router)
    return client


def check(response: httpx2.Response, status: int) -> dict[str, Any]:
    """Check the form that all errors share; returns the problem."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["type"]
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


async def test_unknown_route(client: httpx2.AsyncClient) -> None:
    check(await client.get("/nowhere"), 404)


async def test_wrong_method_lists_the_allowed_ones(client: httpx2.AsyncClient) -> None:
    response = await client.put("/bodies")
    check(response, 405)
    assert set(response.headers["allow"].split(", ")) == {"POST", "DELETE"}


async def test_http_exception_keeps_its_headers(client: httpx2.AsyncClient) -> None:
    response = await client.get("/teapot")
    assert check(response, 418)["detail"] == "short and stout"
    assert response.headers["retry-after"] == "7"


async def test_unexpected_error_reveals_nothing(client: httpx2.AsyncClient) -> None:
    response = await client.get("/fails")
    assert check(response, 500)["type"] == "internal-error"
    assert SECRET not in response.text


async def test_validation_error_has_locations_but_no_input(
    client: httpx2.AsyncClient,
) -> None:
    response = await client.post("/bodies", json={"password": [SECRET], "amount": SECRET})
    errors = check(response, 422)["errors"]
    assert [error["loc"] for error in errors] == [["body", "password"], ["body", "amount"]]
    assert SECRET not in response.text


@pytest.mark.parametrize("content", ["{", '{"password": "x", "amount": NaN}', '"\\ud800"'])
async def test_malformed_json_is_a_client_error(client: httpx2.AsyncClient, content: str) -> None:
    response = await client.post(
        "/bodies", content=content, headers={"content-type": "application/json"}
    )
    check(response, 422)


def test_every_operation_documents_its_errors_as_problems(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            assert "500" in responses, (method, path)
            for status, response in responses.items():
                assert "X-Request-ID" in response["headers"]
                if status >= "4":
                    assert list(response["content"]) == ["application/problem+json"]


def test_only_the_probe_of_readiness_documents_an_outage(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert "503" in paths["/readyz"]["get"]["responses"]
    assert "503" not in paths["/livez"]["get"]["responses"]


def test_headers_of_problems_are_documented() -> None:
    unavailable = problem_responses(DatabaseUnavailable)[503]
    assert unavailable["headers"]["Retry-After"]["description"]
