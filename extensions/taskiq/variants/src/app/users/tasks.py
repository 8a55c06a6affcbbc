"""What is done for users in the background."""

from uuid import UUID

from taskiq import TaskiqDepends
from taskiq.brokers.shared_broker import shared_task

from app.core.project import NAME
from app.db.session import Database
from app.mail.senders import Sender, get_sender
from app.tasks.effects import first_time


@shared_task
async def send_welcome(
    user_id: UUID,
    email: str,
    database: Database = TaskiqDepends(),
    sender: Sender = TaskiqDepends(get_sender),
) -> None:
    """Welcome a new user, once. The address is given: the account may not be committed yet."""
    async with database.write.begin() as session:
        if await first_time(session, f"welcome {user_id}"):
            text = f"Welcome to {NAME}! Your account is ready."
            await sender.send(to=email, subject=f"Welcome to {NAME}", text=text)
