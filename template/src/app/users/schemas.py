"""Users in requests and answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field

from app.core.schemas import Secret

Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
"""An e-mail address, in lower case."""
Password = Annotated[Secret, Field(min_length=8, max_length=128)]
"""A new password: 8 to 128 characters of any kind (NIST SP 800-63B)."""


class Credentials(BaseModel):
    """What a new user chooses."""

    email: Email
    password: Password


class PasswordChange(BaseModel):
    """A new password, and the current one as proof."""

    current_password: Annotated[Secret, Field(max_length=128)]
    new_password: Password


class UserRead(BaseModel):
    """A user, as they see themselves."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    is_active: bool
    created_at: datetime
    updated_at: datetime
