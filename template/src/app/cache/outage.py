"""Times in which Redis does not answer."""

from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic

import structlog
from cashews import CacheBackendInteractionError
from redis.exceptions import RedisError

NO_ANSWER = (CacheBackendInteractionError, RedisError, OSError)

logger = structlog.stdlib.get_logger("app.cache")


class Outage:
    """Whether it makes sense to ask: after a failure nobody does for a while, then one tries."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._try_at: float | None = None

    def may_ask(self) -> bool:
        """Whether the caller should ask."""
        if self._try_at is None:
            return True
        now = monotonic()
        if now < self._try_at:
            return False
        # The others wait for what this one finds.
        self._try_at = now + self._pause
        return True

    @contextmanager
    def noticed(self) -> Generator[None]:
        """Go on after a failure, and remember it; one line of the log tells of each outage."""
        try:
            yield
        except NO_ANSWER as error:
            if self._try_at is None:
                logger.warning("no answer from the cache", reason=str(error.__cause__ or error))
            self._try_at = monotonic() + self._pause
        else:
            if self._try_at is not None:
                logger.info("the cache answers again")
            self._try_at = None
