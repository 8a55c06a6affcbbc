"""Request and response bodies of log-in and tokens."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.core.schemas import Text
from app.users.schemas import CurrentPassword, Secret


class LogInForm(BaseModel):
    """The form of the password grant (RFC 6749, section 4.3.2); `scope` and others are ignored."""

    grant_type: Literal["password"] = "password"
    username: Annotated[
        Text,
        Field(max_length=254, description="The e-mail address.", examples=["ada@example.org"]),
    ]
    password: CurrentPassword


class RefreshRequest(BaseModel):
    """A refresh token."""

    refresh_token: Annotated[Secret, Field(max_length=128, examples=["the token of a log-in"])]


class TokenPair(BaseModel):
    """The response to a log-in (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of the scheme
    expires_in: int = Field(description="Seconds until the access token expires.")
