"""Passwords and access tokens."""

from datetime import timedelta
from math import inf
from time import perf_counter
from unicodedata import normalize
from uuid import uuid4

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from app.core.config import NAME, ConfigurationError
from app.db.base import utc_now
from app.users.config import EXAMPLE_SECRET, AuthSettings
from app.users.errors import NotAuthenticated
from app.users.security import LEEWAY, Security

SECRET = "s" * 32
FORGED: list[dict[str, object]] = [
    {"iss": "another"},
    {"aud": "another"},
    {"sub": "not-an-id"},
    {"exp": utc_now() - timedelta(seconds=LEEWAY + 1)},
]


@pytest.fixture
def cheap_hashes() -> None:
    """Hash passwords at the default cost here."""


@pytest.fixture
def security() -> Security:
    """Security with a known secret."""
    return Security(AuthSettings(secret=SecretStr(SECRET)))


def claims() -> dict[str, object]:
    now = utc_now()
    return {
        "sub": str(uuid4()),
        "iss": NAME,
        "aud": NAME,
        "iat": now,
        "exp": now + timedelta(minutes=1),
    }


def test_access_token_names_its_user(security: Security) -> None:
    user_id = uuid4()
    assert security.read_access_token(security.issue_access_token(user_id)) == user_id


@pytest.mark.parametrize("changes", FORGED, ids=lambda changes: next(iter(changes)))
def test_forged_claim_is_refused(security: Security, changes: dict[str, object]) -> None:
    security.read_access_token(jwt.encode(claims(), SECRET, "HS256"))
    with pytest.raises(NotAuthenticated):
        security.read_access_token(jwt.encode(claims() | changes, SECRET, "HS256"))


@pytest.mark.parametrize("claim", ["iat", "exp"])
def test_clocks_may_differ_by_seconds(security: Security, claim: str) -> None:
    moment = timedelta(seconds=5 if claim == "iat" else -5)
    token = jwt.encode(claims() | {claim: utc_now() + moment}, SECRET, "HS256")
    security.read_access_token(token)


@pytest.mark.parametrize("missing", ["sub", "iss", "aud", "iat", "exp"])
def test_token_without_a_claim_is_refused(security: Security, missing: str) -> None:
    incomplete = {name: value for name, value in claims().items() if name != missing}
    with pytest.raises(NotAuthenticated):
        security.read_access_token(jwt.encode(incomplete, SECRET, "HS256"))


@pytest.mark.parametrize(
    ("key", "algorithm"), [("x" * 32, "HS256"), ("s" * 64, "HS512"), ("", "none")]
)
def test_forged_signature_is_refused(security: Security, key: str, algorithm: str) -> None:
    with pytest.raises(NotAuthenticated):
        security.read_access_token(jwt.encode(claims(), key, algorithm))


async def test_password_matches_only_its_own_hash(security: Security) -> None:
    stored = await security.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await security.verify("correct horse", stored)
    assert not await security.verify("wrong horse", stored)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x17F)) | st.text("가각힣"))
async def test_password_matches_in_every_encoding_of_its_characters(password: str) -> None:
    security = Security(AuthSettings(argon2_memory=8, argon2_iterations=1))
    composed, decomposed = normalize("NFC", password), normalize("NFD", password)
    assert await security.verify(decomposed, await security.hash(composed))
    assert await security.verify(composed, await security.hash(decomposed))


async def test_verification_without_a_hash_takes_as_long(security: Security) -> None:
    known, unknown = await security.hash("correct horse"), None
    fastest = {known: inf, unknown: inf}
    for _ in range(10):  # in turn, because other load may slow both down
        for password_hash in (known, unknown):
            start = perf_counter()
            assert not await security.verify("wrong horse", password_hash)
            fastest[password_hash] = min(fastest[password_hash], perf_counter() - start)
    assert 0.5 < fastest[unknown] / fastest[known] < 2


@pytest.mark.parametrize("secret", [None, EXAMPLE_SECRET])
def test_production_requires_a_secret_of_its_own(secret: str | None) -> None:
    settings = AuthSettings(secret=SecretStr(secret)) if secret else AuthSettings()
    settings.check_for("development")
    with pytest.raises(ConfigurationError, match="APP_AUTH_SECRET"):
        settings.check_for("production")
    AuthSettings(secret=SecretStr(SECRET)).check_for("production")
