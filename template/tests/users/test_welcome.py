"""A new user is welcomed, once."""

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
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.receivers: list[str] = []
        self.is_full = False

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Keep the receiver."""
        assert "Welcome" in subject
        assert text
        if self.is_full:
            raise ConnectionError
        self.receivers.append(to)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Where the mails of this test go."""
    mailbox = Mailbox()
    monkeypatch.setattr(ConsoleSender, "send", mailbox.send)
    return mailbox


async def test_welcome_that_is_delivered_twice_is_sent_once(
    tasks: HeldTasks, database: Database, mailbox: Mailbox
) -> None:
    await tasks.send(send_welcome, uuid4(), EMAIL)
    tasks.held *= 2
    await tasks.do_all(database)
    assert mailbox.receivers == [EMAIL]


async def test_welcome_that_failed_is_not_marked_as_sent(
    tasks: HeldTasks, database: Database, mailbox: Mailbox
) -> None:
    await tasks.send(send_welcome, uuid4(), EMAIL)
    sent = [*tasks.held]
    mailbox.is_full = True
    await tasks.do_all(database)
    async with database.read() as session:
        [failed] = await session.scalars(select(FailedTask))
    assert failed.error == "ConnectionError: "
    mailbox.is_full = False
    tasks.held = sent
    await tasks.do_all(database)
    assert mailbox.receivers == [EMAIL]
