"""Request and response bodies of users."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from app.core.schemas import Text
from app.users.emails import normalize_email


def _encodable(secret: SecretStr) -> SecretStr:
    """Refuse a lone surrogate, which JSON can express and UTF-8 cannot."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("is not valid Unicode") from None
    return secret


Email = Annotated[
    Text,
    Field(max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(normalize_email),
]
"""An e-mail address without a display name, normalized."""
Secret = Annotated[SecretStr, AfterValidator(_encodable)]
"""A password or a token, masked in logs and error messages."""
Password = Annotated[Secret, Field(min_length=8, max_length=128)]
"""A new password: 8 to 128 characters of any kind (NIST SP 800-63B)."""
CurrentPassword = Annotated[
    Secret, Field(max_length=512, examples=["correct horse battery staple"])
]
"""A password to verify. The length allows for one that is not composed: see `Security`."""


class Credentials(BaseModel):
    """The e-mail address and the password of a new account."""

    email: Email = Field(examples=["ada@example.org"])
    password: Password = Field(examples=["correct horse battery staple"])


class PasswordChange(BaseModel):
    """A new password, with the current one as proof."""

    current_password: CurrentPassword
    new_password: Password = Field(examples=["incorrect donkey battery staple"])


class UserRead(BaseModel):
    """An account, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str = Field(examples=["ada@example.org"])
    is_active: bool
    created_at: datetime
    updated_at: datetime
