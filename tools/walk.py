"""A walk through the default service: what a first client of the API would do."""

import json
import time
from typing import Any, TypedDict, Unpack

import httpx2

PROBLEM = "application/problem+json"
EMAIL = "ada@example.com"
COLUMN = 26
WIDTH = 66


class Content(TypedDict, total=False):
    """What a request carries: JSON, or a form."""

    json: dict[str, str]
    data: dict[str, str]


class WalkError(Exception):
    """The service gave a wrong response; the message says which and how."""


class Walk:
    """Walks a service that answers to `client`, and prints each step as one line."""

    def __init__(self, client: httpx2.Client, password: str) -> None:
        self._client = client
        self._password = password
        self._requests = 0

    def run(self) -> int:
        """Take all steps; return the number of requests. Raises WalkError at the first fault."""
        self._expect(200, "GET", "/livez")
        self._log_in()
        self._expect(200, "GET", "/users/me", see="email")
        self._handle_items()
        self._expect(422, "POST", "/items", json={"title": ""}, see="title", kind=PROBLEM)
        self._expect(404, "GET", "/no/such/route", see="title", kind=PROBLEM)
        self._client.headers.pop("Authorization")
        self._expect(401, "GET", "/items", see="title", kind=PROBLEM)
        return self._requests

    def _log_in(self) -> None:
        account = {"email": EMAIL, "password": self._password}
        self._expect(201, "POST", "/auth/register", json=account, see="email")
        self._expect(409, "POST", "/auth/register", json=account, see="title", kind=PROBLEM)
        form = {"username": EMAIL, "password": self._password}
        token = self._expect(200, "POST", "/auth/token", data=form, see="token_type")
        self._client.headers["Authorization"] = f"Bearer {token['access_token']}"

    def _handle_items(self) -> None:
        new = {"title": "A lamp", "description": "for the desk"}
        item = self._expect(201, "POST", "/items", json=new, see="title")
        page = self._expect(200, "GET", "/items?limit=20", see="items")
        if [found["id"] for found in page["items"]] != [item["id"]]:
            raise WalkError(f"GET /items should list the one item just made, and has {page}")
        path = f"/items/{item['id']}"
        self._expect(200, "PATCH", path, json={"title": "A better lamp"}, see="title")
        self._expect(204, "DELETE", path)
        self._expect(404, "GET", path, see="title", kind=PROBLEM)

    def _expect(
        self,
        status: int,
        method: str,
        path: str,
        see: str = "",
        kind: str = "",
        **content: Unpack[Content],
    ) -> dict[str, Any]:
        """Send a request; show the member `see` of the answer; insist on its status and kind."""
        started = time.perf_counter()
        try:
            answer = self._client.request(method, path, **content)
        except httpx2.TransportError as error:
            raise WalkError(f"{method} {path} was not answered: {error!r}") from error
        milliseconds = (time.perf_counter() - started) * 1000
        self._requests += 1
        step = f"{method} {path}"
        received = answer.headers.get("content-type", "")
        if answer.status_code != status or not received.startswith(kind):
            raise WalkError(
                f"{step} should be answered {status} {kind}, and was {answer.status_code} "
                f"{received}: {answer.text[:500]}"
            )
        body: dict[str, Any] = answer.json() if answer.content else {}
        shown = f"{see}: {json.dumps(body[see], ensure_ascii=False)}" if see else ""
        line = f"   {step:<{COLUMN}.{COLUMN}} {status}  {milliseconds:4.0f} ms  {shown:.{WIDTH}}"
        print(line.rstrip())
        return body
