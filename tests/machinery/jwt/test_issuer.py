"""Tokens name the service: another one that has the same secret refuses them."""

import tomllib
from uuid import uuid4

import jwt

from app.users.config import AuthSettings
from app.users.security import Security
from tests.conftest import PROJECT


def test_issuer_and_audience_are_the_name_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    token = Security(AuthSettings()).issue_access_token(uuid4())
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == (project["name"], project["name"])
