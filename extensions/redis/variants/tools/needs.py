"""What the service needs in development, and where it comes from if no setting names it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tools.database import development_database
from tools.embedded_redis import development_redis

NEEDS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "APP_DATABASE_URL": development_database,
    "APP_TASKS_BROKER_URL": development_redis,
}
