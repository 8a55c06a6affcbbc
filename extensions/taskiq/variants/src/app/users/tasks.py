"""Background tasks of users."""

from uuid import UUID

from taskiq import AsyncBroker, TaskiqDepends
from taskiq.brokers.shared_broker import shared_task

from app.db.session import Database
from app.mail.senders import Sender, get_sender
from app.tasks.service import first_time
from app.users.models import User


@shared_task
async def send_welcome(
    user_id: UUID,
    email: str,
    database: Database = TaskiqDepends(),
    sender: Sender = TaskiqDepends(get_sender),
) -> None:
    """Send the welcome mail once. It takes the address: the user may not be committed yet."""
    async with database.write.begin() as session:
        if await first_time(session, f"welcome {user_id}"):
            await sender.send(to=email, subject="Welcome", text="Welcome! Your account is ready.")


async def welcome(tasks: AsyncBroker, user: User) -> None:
    """Have a new user welcomed.

    Raises:
        SendTaskError: the broker did not accept the task.
    """
    await send_welcome.kicker().with_broker(tasks).kiq(user.id, user.email)
