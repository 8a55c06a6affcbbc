"""Sending e-mail by SMTP, or into the log."""

from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from typing import Protocol

import aiosmtplib
import structlog

from app.core.config import load_settings
from app.mail.config import MailSettings

logger = structlog.stdlib.get_logger("app.mail")


class Sender(Protocol):
    """Sends e-mail messages."""

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send a message; raises if it cannot be handed over."""
        ...


class ConsoleSender:
    """Logs messages instead of sending them, for development."""

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Log the message with its text."""
        logger.info("mail", to=to, subject=subject, text=text)


@dataclass(frozen=True)
class SMTPSender:
    """Sends messages through an SMTP server (RFC 5321)."""

    host: str
    settings: MailSettings

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send the message over a new connection.

        Raises:
            aiosmtplib.SMTPException: the server is unreachable or refused the message.
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
    """The sender that the settings choose."""
    settings = load_settings(MailSettings)
    return SMTPSender(settings.host, settings) if settings.host else ConsoleSender()
