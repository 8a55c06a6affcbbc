"""Messages sent to an SMTP server."""

import asyncio
import json
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default

import aiosmtplib
import pytest
from aiosmtpd.handlers import Message as Handler
from aiosmtpd.smtp import SMTP

from app.core.config import Settings
from app.core.logging import configure_logging
from app.mail.config import MailSettings
from app.mail.senders import ConsoleSender, SMTPSender, get_sender

SIZE_LIMIT = 2000
"""The largest message that the server accepts, in bytes."""


class Mailbox(Handler):
    """The messages that the server received."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[EmailMessage] = []

    def handle_message(self, message: Message) -> None:
        """Keep the message, parsed by the current policy."""
        self.messages.append(message_from_bytes(message.as_bytes(), policy=default))


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def sender(mailbox: Mailbox) -> AsyncIterator[SMTPSender]:
    """A sender, and the server that it sends to."""
    loop = asyncio.get_running_loop()
    async with await loop.create_server(
        lambda: SMTP(mailbox, data_size_limit=SIZE_LIMIT), "127.0.0.1", 0
    ) as server:
        port: int = server.sockets[0].getsockname()[1]
        settings = MailSettings(port=port, security="none", sender="us@example.org")
        yield SMTPSender("127.0.0.1", settings)


async def test_message_is_delivered(sender: SMTPSender, mailbox: Mailbox) -> None:
    await sender.send(to="ada@example.org", subject="Grüße 👋", text="Ein Löwe.\n")
    [message] = mailbox.messages
    assert message["From"] == "us@example.org"
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == "Grüße 👋"
    assert message.get_content().splitlines() == ["Ein Löwe."]


async def test_refused_message_is_an_error(sender: SMTPSender, mailbox: Mailbox) -> None:
    with pytest.raises(aiosmtplib.SMTPException):
        await sender.send(to="ada@example.org", subject="Hello", text="Hello " * SIZE_LIMIT)
    assert not mailbox.messages


def test_settings_choose_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    get_sender.cache_clear()
    assert isinstance(get_sender(), ConsoleSender)
    monkeypatch.setenv("APP_MAIL_HOST", "mail.example.org")
    get_sender.cache_clear()
    assert isinstance(get_sender(), SMTPSender)
    get_sender.cache_clear()


async def test_console_sender_logs_the_message(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    await ConsoleSender().send(to="ada@example.org", subject="Hello", text="Hi.")
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["text"] == "Hi."
