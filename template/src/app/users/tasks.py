"""What is done for users in the background."""

from uuid import UUID

from app.core.project import NAME
from app.mail.senders import get_sender
from app.tasks.effects import first_time
from app.tasks.task import Sender, TaskContext, task
from app.users.models import User


@task("users.send_welcome")
async def send_welcome(context: TaskContext, user_id: UUID, email: str) -> None:
    """Welcome a new user, once. The address is given: the account may not be committed yet."""
    async with context.database.write.begin() as session:
        if await first_time(session, f"welcome {user_id}"):
            text = f"Welcome to {NAME}! Your account is ready."
            await get_sender().send(to=email, subject=f"Welcome to {NAME}", text=text)


async def welcome(tasks: Sender, user: User) -> None:
    """Have a new user welcomed.

    Raises:
        TasksUnavailable: the broker did not accept the task.
    """
    await tasks.send(send_welcome, user.id, user.email)
