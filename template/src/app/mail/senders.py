"""Ways to send a message."""

from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from typing import Literal, Protocol

import aiosmtplib
import structlog
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.config import load_settings

logger = structlog.stdlib.get_logger("app.mail")


class MailSettings(BaseSettings):
    """The mail server, by `APP_MAIL_…`; without `host`, messages go into the log."""

    model_config = SettingsConfigDict(env_prefix="APP_MAIL_", env_ignore_empty=True, extra="ignore")

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str = "service@example.org"
    timeout: float = Field(default=10, gt=0)
    """Seconds for each step of the conversation with the server."""


class Sender(Protocol):
    """Something that brings a message on its way."""

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send the message, or raise what the way to the receiver raises."""
        ...


class ConsoleSender:
    """Writes messages into the log, for development."""

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Log the message, with its text."""
        logger.info("mail", to=to, subject=subject, text=text)


@dataclass(frozen=True)
class SMTPSender:
    """Hands messages to a mail server (RFC 5321)."""

    host: str
    settings: MailSettings

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send the message over a connection of its own.

        Raises:
            aiosmtplib.SMTPException: the server was not reached, or refuses.
        """
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.settings.sender, to, subject
        message.set_content(text)
        password = self.settings.password
        await aiosmtplib.send(
            message,
            hostname=self.host,
            port=self.settings.port,
            username=self.settings.username,
            password=password.get_secret_value() if password else None,
            use_tls=self.settings.security == "tls",
            start_tls=self.settings.security == "starttls",
            timeout=self.settings.timeout,
        )


@lru_cache
def get_sender() -> Sender:
    """The sender that the settings describe."""
    settings = load_settings(MailSettings)
    return SMTPSender(settings.host, settings) if settings.host else ConsoleSender()
