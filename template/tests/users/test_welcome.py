"""A new user is welcomed, once."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from app.core.database import Database
from app.mail.senders import get_sender
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


async def test_welcome_that_is_delivered_twice_is_sent_once(
    tasks: HeldTasks, database: Database
) -> None:
    await send_welcome.kiq(uuid4(), EMAIL)
    tasks.held *= 2
    mailbox = Mailbox()
    await tasks.do_all(database, instead={get_sender: lambda: mailbox})
    assert mailbox.receivers == [EMAIL]


async def test_welcome_that_failed_is_not_marked_as_sent(
    tasks: HeldTasks, database: Database
) -> None:
    await send_welcome.kiq(uuid4(), EMAIL)
    sent = [*tasks.held]
    mailbox = Mailbox()
    mailbox.is_full = True
    await tasks.do_all(database, instead={get_sender: lambda: mailbox})
    async with database.read() as session:
        [failed] = await session.scalars(select(FailedTask))
    assert failed.error == "ConnectionError: "
    mailbox.is_full = False
    tasks.held = sent
    await tasks.do_all(database, instead={get_sender: lambda: mailbox})
    assert mailbox.receivers == [EMAIL]
