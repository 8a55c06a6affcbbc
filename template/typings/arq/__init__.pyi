# Types for what the service uses of arq; the package leaves them open.

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from signal import Signals
from types import TracebackType
from typing import Any, Self

from pydantic import JsonValue
from redis.asyncio.retry import Retry

class ArqRedis:
    job_serializer: Callable[[dict[str, JsonValue]], bytes]
    job_deserializer: Callable[[bytes], dict[str, JsonValue]]
    default_queue_name: str
    expires_extra_ms: int
    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        retry: Retry | None = ...,
        retry_on_error: Sequence[type[Exception]] = ...,
        socket_connect_timeout: float | None = ...,
        socket_timeout: float | None = ...,
    ) -> Self: ...
    async def enqueue_job(self, function: str, argument: Mapping[str, JsonValue]) -> object: ...
    async def eval(self, script: str, numkeys: int, *keys_and_args: str) -> object: ...
    async def aclose(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

class Function: ...

def func(
    coroutine: Callable[[dict[str, Any], dict[str, JsonValue]], Awaitable[None]], *, name: str
) -> Function: ...

class Worker:
    in_progress_timeout_s: float
    on_stop: Callable[[Signals], None] | None
    tasks: dict[str, asyncio.Task[Any]]
    def __init__(
        self,
        functions: Sequence[Function],
        *,
        queue_name: str,
        redis_pool: ArqRedis,
        max_jobs: int,
        poll_delay: float,
        job_timeout: float,
        job_completion_wait: int,
        max_tries: int,
        keep_result: float,
        job_serializer: Callable[[dict[str, JsonValue]], bytes],
        job_deserializer: Callable[[bytes], dict[str, JsonValue]],
    ) -> None: ...
    @property
    def pool(self) -> ArqRedis: ...
    async def async_run(self) -> None: ...
