"""The broker: Celery carries messages of ours, and does nothing else with them.

Its own retries are off, for they wait in a worker's memory: `app.tasks.work` stores what fails.
"""

from celery import Celery

from app.tasks.blocking import BlockingBroker
from app.tasks.settings import TaskSettings
from app.tasks.task import Message
from app.tasks.transport import OUTAGE, transport

TASK = "do"


class Broker(BlockingBroker):
    """Sends by Celery."""

    outage = OUTAGE

    def __init__(self, url: str, settings: TaskSettings) -> None:
        super().__init__()
        self._app = create_app(url, settings)

    def enqueue(self, message: Message) -> None:
        """Put a message into the queue, in a thread."""
        self._app.send_task(TASK, [message.model_dump(mode="json")], shadow=message.name)

    def disconnect(self) -> None:
        """Close the connections."""
        self._app.close()


def create_app(url: str, settings: TaskSettings) -> Celery:
    """Configure Celery; it connects when it is used."""
    app = Celery(set_as_current=False)
    app.conf.update(
        {
            "task_default_queue": settings.queue,
            "task_ignore_result": True,
            # Not before: what a killed worker had would be lost.
            "task_acks_late": True,
            "task_publish_retry": False,
            "worker_pool": "threads",
            "worker_concurrency": settings.concurrency,
            "worker_prefetch_multiplier": 1,
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            "broker_connection_timeout": 2,
            **transport(url, settings),
        }
    )
    return app
