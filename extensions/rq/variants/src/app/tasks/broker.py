"""The broker: a list in Redis, which has to write to disk (`appendonly yes`).

RQ carries messages of ours. What fails is stored by `app.tasks.work`; RQ itself sends again only
what a lost worker had.
"""

from math import ceil

from redis import Redis, from_url
from redis.exceptions import RedisError
from rq import Queue, Retry

from app.tasks.blocking import BlockingBroker
from app.tasks.settings import TaskSettings
from app.tasks.task import Message

JOB = "app.tasks.worker.do_job"
"""What RQ calls, in a process of its own."""
SERIALIZER = "json"
"""Not pickle, RQ's own choice: who can write to Redis could run code here."""
LOST_WORKERS = 1000
"""How many workers a task may lose before RQ gives it up."""


class Broker(BlockingBroker):
    """Sends by RQ."""

    outage = (RedisError, OSError)

    def __init__(self, url: str, settings: TaskSettings) -> None:
        super().__init__()
        self._redis, self._queue = create_queue(url, settings)
        self._timeout = ceil(settings.redelivery_after)

    def enqueue(self, message: Message) -> None:
        """Put a message into the queue, in a thread."""
        self._queue.enqueue_call(
            JOB,
            args=(message.model_dump(mode="json"),),
            description=message.name,
            # Our own limit is lower; this one ends what holds up the event loop.
            timeout=self._timeout,
            # Without a result RQ 3.0 cannot end a task that lost a worker, and does it for ever.
            result_ttl=1,
            retry=Retry(LOST_WORKERS),
        )

    def disconnect(self) -> None:
        """Close the connections."""
        self._redis.close()


def create_queue(url: str, settings: TaskSettings) -> tuple[Redis, Queue]:
    """Configure RQ's queue and its client, which connects when it is used."""
    redis = from_url(url, socket_connect_timeout=2, socket_timeout=5)
    return redis, Queue(settings.queue, connection=redis, serializer=SERIALIZER)
