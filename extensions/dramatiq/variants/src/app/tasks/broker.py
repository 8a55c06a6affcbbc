"""The broker: dramatiq carries messages of ours, and does nothing else with them.

Its own retries and dead letters are off: `app.tasks.work` stores what fails.
"""

import dramatiq

from app.tasks.blocking import BlockingBroker
from app.tasks.settings import TaskSettings
from app.tasks.task import Message
from app.tasks.transport import OUTAGE, create_transport

ACTOR = "do"


class Broker(BlockingBroker):
    """Sends by dramatiq."""

    outage = OUTAGE

    def __init__(self, url: str, settings: TaskSettings) -> None:
        super().__init__()
        self.queue = settings.queue
        self.transport = create_transport(url, settings)
        self.transport.declare_queue(self.queue)

    def enqueue(self, message: Message) -> None:
        """Put a message into the queue, in a thread."""
        arguments = (message.model_dump(mode="json"),)
        carrier = dramatiq.Message(
            queue_name=self.queue, actor_name=ACTOR, args=arguments, kwargs={}, options={}
        )
        self.transport.enqueue(carrier)

    def disconnect(self) -> None:
        """Close the connections."""
        self.transport.close()
