"""Passwords and access tokens."""

from datetime import timedelta
from math import inf
from time import perf_counter
from uuid import uuid4

import jwt
import pytest
from pydantic import SecretStr

from app.core.config import ConfigurationError
from app.core.security import EXAMPLE_SECRET, AuthSettings, NotAuthenticated, Security
from app.db.base import utc_now

SECRET = "s" * 32
FORGED: list[dict[str, object]] = [
    {"iss": "another"},
    {"aud": "another"},
    {"sub": "not-an-id"},
    {"exp": utc_now() - timedelta(seconds=1)},
]


@pytest.fixture
def security() -> Security:
    """With a known secret."""
    return Security(AuthSettings(secret=SecretStr(SECRET)))


def claims() -> dict[str, object]:
    now = utc_now()
    return {
        "sub": str(uuid4()),
        "iss": "app",
        "aud": "app",
        "iat": now,
        "exp": now + timedelta(minutes=1),
    }


def test_token_leads_back_to_the_user(security: Security) -> None:
    user_id = uuid4()
    assert security.read_access_token(security.issue_access_token(user_id)) == user_id


@pytest.mark.parametrize("changes", FORGED, ids=lambda changes: next(iter(changes)))
def test_token_for_somebody_else_is_refused(security: Security, changes: dict[str, object]) -> None:
    security.read_access_token(jwt.encode(claims(), SECRET, "HS256"))
    with pytest.raises(NotAuthenticated):
        security.read_access_token(jwt.encode(claims() | changes, SECRET, "HS256"))


@pytest.mark.parametrize("missing", ["sub", "iss", "aud", "iat", "exp"])
def test_token_without_a_claim_is_refused(security: Security, missing: str) -> None:
    incomplete = {name: value for name, value in claims().items() if name != missing}
    with pytest.raises(NotAuthenticated):
        security.read_access_token(jwt.encode(incomplete, SECRET, "HS256"))


@pytest.mark.parametrize(
    ("key", "algorithm"), [("x" * 32, "HS256"), ("s" * 64, "HS512"), ("", "none")]
)
def test_token_signed_otherwise_is_refused(security: Security, key: str, algorithm: str) -> None:
    with pytest.raises(NotAuthenticated):
        security.read_access_token(jwt.encode(claims(), key, algorithm))


async def test_password_fits_its_own_hash_only(security: Security) -> None:
    stored = await security.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await security.verify("correct horse", stored)
    assert not await security.verify("wrong horse", stored)


async def test_unknown_user_takes_as_long_as_a_known_one(security: Security) -> None:
    known, unknown = await security.hash("correct horse"), None
    fastest = {known: inf, unknown: inf}
    for _ in range(10):  # by turns, because other work may slow both down
        for password_hash in (known, unknown):
            start = perf_counter()
            assert not await security.verify("wrong horse", password_hash)
            fastest[password_hash] = min(fastest[password_hash], perf_counter() - start)
    assert 0.5 < fastest[unknown] / fastest[known] < 2


@pytest.mark.parametrize("secret", [None, EXAMPLE_SECRET])
def test_production_wants_a_secret_of_its_own(secret: str | None) -> None:
    settings = AuthSettings(secret=SecretStr(secret)) if secret else AuthSettings()
    settings.check_for("development")
    with pytest.raises(ConfigurationError, match="APP_AUTH_SECRET"):
        settings.check_for("production")
    AuthSettings(secret=SecretStr(SECRET)).check_for("production")
