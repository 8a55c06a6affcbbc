"""What is done for users in the background."""

from uuid import UUID

from app.mail.senders import get_sender
from app.tasks.effects import first_time
from app.tasks.task import TaskContext, task


@task("users.send_welcome")
async def send_welcome(context: TaskContext, user_id: UUID, email: str) -> None:
    """Welcome a new user, once. The address is given: the account may not be committed yet."""
    async with context.database.write.begin() as session:
        if await first_time(session, f"welcome {user_id}"):
            text = "Welcome! Your account is ready."
            await get_sender().send(to=email, subject="Welcome", text=text)
