"""The job that RQ knows: it does one task, in a process of its own."""

import asyncio

from pydantic import JsonValue

from app.tasks.process import opened_context, process_settings
from app.tasks.task import Message
from app.tasks.work import do


def do_job(message: dict[str, JsonValue]) -> None:
    """Do the task that a message says."""
    asyncio.run(_do(Message.model_validate(message)))


async def _do(message: Message) -> None:
    async with opened_context(*process_settings()) as context:
        await do(message, context)
