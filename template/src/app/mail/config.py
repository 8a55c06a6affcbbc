"""Settings of e-mail, prefixed `APP_MAIL_`."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class MailSettings(BaseSettings):
    """The SMTP server; without `host`, messages are written to the log."""

    model_config = SettingsConfigDict(env_prefix="APP_MAIL_", env_ignore_empty=True, extra="ignore")

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str = "service@example.org"
    timeout: float = Field(default=10, gt=0)
    """Seconds for each step of the SMTP dialogue."""
