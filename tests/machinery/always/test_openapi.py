"""The OpenAPI document names the errors that are sent, and no others."""

from typing import Any

from fastapi import FastAPI


def operations(app: FastAPI) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by path and method."""
    paths = app.openapi()["paths"]
    return {(path, method): found for path in paths for method, found in paths[path].items()}


def test_what_uses_the_database_documents_its_outage(app: FastAPI) -> None:
    lacking = {key for key, found in operations(app).items() if "503" not in found["responses"]}
    assert lacking == {("/livez", "get")}


def test_what_has_a_body_documents_malformed_ones(app: FastAPI) -> None:
    for found in operations(app).values():
        assert ("requestBody" in found) == ("400" in found["responses"])
        if "requestBody" in found:
            assert "422" in found["responses"]


def test_what_needs_a_caller_documents_who_is_refused(app: FastAPI) -> None:
    for found in operations(app).values():
        if "security" in found:
            assert "WWW-Authenticate" in found["responses"]["401"]["headers"]


def test_bodies_have_examples(app: FastAPI) -> None:
    document = app.openapi()
    for found in operations(app).values():
        for content in found.get("requestBody", {}).get("content", {}).values():
            name = content["schema"]["$ref"].rpartition("/")[2]
            for field, schema in document["components"]["schemas"][name]["properties"].items():
                assert {"examples", "const", "enum"} & {*schema}, (name, field)


def test_what_creates_documents_where(app: FastAPI) -> None:
    for found in operations(app).values():
        if "201" in found["responses"]:
            assert "Location" in found["responses"]["201"]["headers"]


def test_groups_are_described(app: FastAPI) -> None:
    document = app.openapi()
    groups = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert all(groups.values())
    for path in document["paths"].values():
        assert all({*operation["tags"]} <= {*groups} for operation in path.values())
