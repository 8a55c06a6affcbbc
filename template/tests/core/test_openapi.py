"""The OpenAPI document."""

from fastapi import FastAPI


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
