"""A circuit breaker for Redis."""

from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic

import structlog
from cashews import CacheBackendInteractionError
from redis.exceptions import RedisError

NO_ANSWER = (CacheBackendInteractionError, RedisError, OSError)

logger = structlog.stdlib.get_logger("app.cache")


class Outage:
    """After a failure Redis is not asked for a pause; then one caller tries again."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._retry_at: float | None = None

    def may_ask(self) -> bool:
        """Whether the caller may send a request to Redis."""
        if self._retry_at is None:
            return True
        now = monotonic()
        if now < self._retry_at:
            return False
        # This caller tries; until its result is known, others go on without Redis.
        self._retry_at = now + self._pause
        return True

    @contextmanager
    def noticed(self) -> Generator[None]:
        """Suppress and record a failure; the begin and the end of an outage are logged once."""
        try:
            yield
        except NO_ANSWER as error:
            if self._retry_at is None:
                logger.warning("the cache is not available", reason=str(error.__cause__ or error))
            self._retry_at = monotonic() + self._pause
        else:
            if self._retry_at is not None:
                logger.info("the cache is available again")
            self._retry_at = None
