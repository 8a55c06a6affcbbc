"""Background tasks of users."""

from uuid import UUID

from app.mail.senders import get_sender
from app.tasks.service import first_time
from app.tasks.task import Sender, TaskContext, task
from app.users.models import User


@task("users.send_welcome")
async def send_welcome(context: TaskContext, user_id: UUID, email: str) -> None:
    """Send the welcome mail once. It takes the address: the user may not be committed yet."""
    async with context.database.write.begin() as session:
        if await first_time(session, f"welcome {user_id}"):
            text = "Welcome! Your account is ready."
            await get_sender().send(to=email, subject="Welcome", text=text)


async def welcome(tasks: Sender, user: User) -> None:
    """Have a new user welcomed.

    Raises:
        TasksUnavailable: the broker did not accept the task.
    """
    await tasks.send(send_welcome, user.id, user.email)
