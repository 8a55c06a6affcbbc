# Types for what the service uses of kombu's transport for Redis.

from collections.abc import Sequence
from contextlib import AbstractContextManager

class Connection:
    def send_command(self, *words: str | float) -> None: ...
    def disconnect(self) -> None: ...

class Client:
    connection: Connection
    def parse_response(self, connection: Connection, command_name: str) -> bytes | None: ...
    def eval(self, script: str, numkeys: int, *keys_and_arguments: str | float) -> object: ...
    def lrem(self, name: str, count: int, value: bytes) -> int: ...

class QueueCycle:
    def consume(self, n: int) -> Sequence[str]: ...

class VirtualConnection:
    def on_message_ready(self, channel: Channel, message: object, queue: str) -> None: ...

class QoS:
    visibility_timeout: float
    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None: ...

class Channel:
    QoS: type[QoS]
    active_queues: set[str]
    brpop_timeout: float
    client: Client
    connection: VirtualConnection
    connection_errors: tuple[type[Exception], ...]
    global_keyprefix: str
    _brpop_sent_at: float | None
    _in_poll: Connection | None
    _queue_cycle: QueueCycle
    def conn_or_acquire(self) -> AbstractContextManager[Client]: ...
    def _brpop_start(self, timeout: float | None = None) -> None: ...
    def _brpop_read(self) -> bool: ...

class Transport:
    Channel: type[Channel]
