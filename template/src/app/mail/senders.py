"""Ways to send a message."""

from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from typing import Protocol

import aiosmtplib
import structlog

from app.core.config import load_settings
from app.mail.settings import MailSettings

logger = structlog.stdlib.get_logger("app.mail")


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
