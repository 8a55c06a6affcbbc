"""A worker on NATS goes on where there is nothing to do."""

from dataclasses import dataclass, field

import pytest
from nats.errors import TimeoutError as NothingNew

from app.tasks.broker import create_broker
from app.tasks.config import TaskSettings


@dataclass
class Message:
    """A task."""

    data: bytes

    async def ack(self) -> None:
        """Take it off the stream."""


@dataclass
class Consumer:
    """A consumer that has nothing at first, and says so in each way that the library knows."""

    answers: list[Exception | list[Message]] = field(
        default_factory=lambda: [NothingNew(), TimeoutError(), [Message(b"task")]]
    )

    async def fetch(self, *_arguments: object, **_options: object) -> list[Message]:
        """What is there."""
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_waits_for_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = create_broker("nats://127.0.0.1:1", TaskSettings())
    monkeypatch.setattr(broker, "consumer", Consumer(), raising=False)
    listening = broker.listen()
    assert (await anext(listening)).data == b"task"
    await listening.aclose()
