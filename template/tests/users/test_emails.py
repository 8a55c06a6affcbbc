"""The spelling of e-mail addresses."""

from unicodedata import normalize

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.users.emails import normalize_email
from tests.users.fixtures import CredentialsFactory, form_of, json_of

SPELLINGS = [
    ("zoë@example.org", "zoe\u0308@example.org"),
    ("user@münchen.de", "user@xn--mnchen-3ya.de"),
    ("user@münchen.de", "user@MU\u0308NCHEN.de"),
    ("ada@example.org", " Ada@Example.ORG\t"),
    ("ada@example.org", "ada@example\u3002org"),
]
LETTERS = st.characters(categories=["Ll", "Lu", "Lo", "Mn"], max_codepoint=0x1FFF)
LOCAL_PARTS = st.text("abcAZ09+_-" + "éÅİßΣſ") | st.text(LETTERS, max_size=20)
DOMAINS = st.sampled_from(["example.org", "münchen.de", "ΣΊΣΥΦΟΣ.gr", "例え.jp", "straße.de"])


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """An address in some spelling, valid or not."""
    address = f"{draw(LOCAL_PARTS)}@{draw(DOMAINS)}"
    return normalize(draw(st.sampled_from(["NFC", "NFD"])), address)


@settings(deadline=None)
@given(addresses())
def test_every_spelling_is_normalized_alike(address: str) -> None:
    try:
        normalized = normalize_email(address)
    except ValueError:
        return
    local_part, _, domain = normalized.rpartition("@")
    spellings = {
        address,
        normalized,
        normalize("NFD", address),
        f" {address}\n",
        f"{local_part}@{domain.encode('idna').decode()}" if "ß" not in domain else address,
        upper if (upper := normalized.upper()).lower() == normalized else address,
    }
    assert {normalize_email(spelling) for spelling in spellings} == {normalized}
    assert len(normalized) <= 254


@pytest.mark.parametrize(("known", "other"), SPELLINGS)
@pytest.mark.parametrize("is_reversed", [False, True])
async def test_account_is_found_by_every_spelling(
    client: httpx2.AsyncClient, known: str, other: str, *, is_reversed: bool
) -> None:
    at_first, later = (other, known) if is_reversed else (known, other)
    account = CredentialsFactory.build()
    response = await client.post("/auth/register", json=json_of(account, email=at_first))
    assert (response.status_code, response.json()["email"]) == (201, known)
    for spelling in (at_first, later):
        form = form_of(account, username=spelling)
        assert (await client.post("/auth/token", data=form)).status_code == 200
    again = await client.post("/auth/register", json=json_of(account, email=later))
    assert (again.status_code, again.json()["type"]) == (409, "email-taken")


@pytest.mark.parametrize(
    "email",
    ["Ada <ada@example.org>", "<ada@example.org>", '"Ada"@example.org', "ada@[127.0.0.1]", "ada"],
)
async def test_what_is_not_a_bare_address_is_refused(
    client: httpx2.AsyncClient, email: str
) -> None:
    account = CredentialsFactory.build()
    response = await client.post("/auth/register", json=json_of(account, email=email))
    assert response.status_code == 422
    log_in = await client.post("/auth/token", data=form_of(account, username=email))
    assert log_in.status_code == 401
