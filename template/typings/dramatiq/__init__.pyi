# Types for what the service uses of dramatiq; the package leaves them open.

from collections.abc import Callable, Mapping

from pydantic import JsonValue

class Message:
    def __init__(
        self,
        *,
        queue_name: str,
        actor_name: str,
        args: tuple[Mapping[str, JsonValue]],
        kwargs: dict[str, JsonValue],
        options: dict[str, JsonValue],
    ) -> None: ...

class Broker:
    def declare_queue(self, queue_name: str) -> None: ...
    def enqueue(self, message: Message) -> Message: ...
    def close(self) -> None: ...

class Worker:
    def __init__(self, broker: Broker, *, worker_threads: int) -> None: ...
    def start(self) -> None: ...
    def stop(self, timeout: int = 600_000) -> None: ...

def actor(
    fn: Callable[[dict[str, JsonValue]], None], *, actor_name: str, queue_name: str, broker: Broker
) -> object: ...
