"""The welcome mail is sent once."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from app.db.session import Database
from app.mail.senders import ConsoleSender
from app.tasks.models import FailedTask
from app.users.tasks import send_welcome
from tests.tasks.fixtures import HeldTasks

EMAIL = "ada@example.org"
pytestmark = pytest.mark.usefixtures("app")


class Mailbox:
    """A sender that keeps the addresses of its messages."""

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self.is_failing = False

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Keep the recipient."""
        assert "Welcome" in subject
        assert text
        if self.is_failing:
            raise ConnectionError
        self.recipients.append(to)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The mailbox that receives the messages of this test."""
    mailbox = Mailbox()
    monkeypatch.setattr(ConsoleSender, "send", mailbox.send)
    return mailbox


async def test_welcome_that_is_delivered_twice_is_sent_once(
    tasks: HeldTasks, database: Database, mailbox: Mailbox
) -> None:
    await tasks.send(send_welcome, uuid4(), EMAIL)
    tasks.held *= 2
    await tasks.do_all(database)
    assert mailbox.recipients == [EMAIL]


async def test_welcome_that_failed_is_not_marked_as_sent(
    tasks: HeldTasks, database: Database, mailbox: Mailbox
) -> None:
    await tasks.send(send_welcome, uuid4(), EMAIL)
    sent = [*tasks.held]
    mailbox.is_failing = True
    await tasks.do_all(database)
    async with database.read() as session:
        [failed] = await session.scalars(select(FailedTask))
    assert failed.error == "ConnectionError: "
    mailbox.is_failing = False
    tasks.held = sent
    await tasks.do_all(database)
    assert mailbox.recipients == [EMAIL]
