# Types for what the service uses of RQ; the package leaves them open.

from collections.abc import Mapping, Sequence
from types import FrameType

from pydantic import JsonValue
from redis import Redis
from redis.client import Pipeline

class Retry:
    def __init__(self, times: int, /) -> None: ...

class Queue:
    def __init__(self, name: str, *, connection: Redis, serializer: str) -> None: ...
    def enqueue_call(
        self,
        func: str,
        *,
        args: tuple[Mapping[str, JsonValue]],
        description: str,
        timeout: int,
        result_ttl: int,
        retry: Retry,
    ) -> object: ...

class Worker:
    def __init__(
        self,
        queues: Sequence[Queue],
        *,
        connection: Redis,
        serializer: str,
        worker_ttl: int,
        maintenance_interval: int,
        job_monitoring_interval: int,
    ) -> None: ...
    def work(self, *, logging_level: str) -> bool: ...
    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None: ...
    def request_stop(self, signum: int, frame: FrameType | None) -> None: ...
    def get_heartbeat_ttl(self, job: object, working_time: float = 0.0) -> int: ...
