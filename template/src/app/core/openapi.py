"""The OpenAPI document, and the page that shows it."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

JSONObject = dict[str, Any]

HEADERS = {
    "ETag": "The version of the content, for `If-Match` and `If-None-Match`.",
    "Link": 'The URL of the next page, with `rel="next"` (RFC 8288); absent on the last page.',
    "Location": "The URL of what was created.",
    "Retry-After": "Seconds after which the request may be repeated.",
    "WWW-Authenticate": "The scheme of authentication.",
    "X-Request-ID": "The id of the request, which its lines in the log have too.",
}
"""What the headers of responses mean. Scripts on pages of the allowed origins may read them."""

PROBLEM: JSONObject = {
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


def problem_response(description: str, examples: JSONObject) -> JSONObject:
    """A response whose body is a problem, with examples of it by name."""
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"description": description, "content": {"application/problem+json": content}}


def with_headers(*names: str) -> JSONObject:
    """The part of a response that describes these headers, for the `responses` of a route."""
    return {
        "headers": {
            name: {"description": HEADERS[name], "schema": {"type": "string"}} for name in names
        }
    }


INVALID = problem_response("The request is invalid.", {})
UNREADABLE = problem_response("The body cannot be decoded.", {})
REQUEST_ID = with_headers("X-Request-ID")


class Service(FastAPI):
    """An application whose OpenAPI document describes every response exactly."""

    def openapi(self) -> JSONObject:
        """The document, with what FastAPI does not know: the form of problems, for instance."""
        known = self.openapi_schema
        document = super().openapi()
        if document is known:
            return document
        components = document.setdefault("components", {})
        components["schemas"] = {"Problem": PROBLEM} | {
            name: schema
            for name, schema in components.get("schemas", {}).items()
            if name not in ("HTTPValidationError", "ValidationError")
        }
        for operation in [each for path in document["paths"].values() for each in path.values()]:
            responses = operation["responses"]
            if "application/json" in responses.get("422", {}).get("content", {}):
                responses["422"] = {**INVALID}
            if "requestBody" in operation:
                responses.setdefault("400", {**UNREADABLE})
            for response in responses.values():
                response["headers"] = response.get("headers", {}) | REQUEST_ID["headers"]
        for scheme in components.get("securitySchemes", {}).values():
            for flow in scheme["flows"].values():
                flow["tokenUrl"] = f"{self.state.settings.api_prefix}/{flow['tokenUrl']}"[1:]
        return document


def install_docs(app: FastAPI) -> None:
    """Serve Swagger UI at `/docs`, without any file from the internet; `/` leads there."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=app.title,
        swagger_js_url="docs/assets/swagger-ui-bundle.js",
        swagger_css_url="docs/assets/swagger-ui.css",
        swagger_favicon_url="docs/assets/favicon.png",
    )
    app.add_route("/docs", lambda _: page)
    app.add_route("/", lambda _: RedirectResponse("docs"))
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]))
