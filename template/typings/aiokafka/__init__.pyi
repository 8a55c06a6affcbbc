# Types for what the service uses of aiokafka; the package leaves them open.

from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from typing import NamedTuple

class TopicPartition(NamedTuple):
    topic: str
    partition: int

class ConsumerRecord:
    topic: str
    partition: int
    offset: int
    value: bytes | None

class ConsumerRebalanceListener:
    def on_partitions_revoked(
        self, revoked: Collection[TopicPartition]
    ) -> Awaitable[None] | None: ...
    def on_partitions_assigned(
        self, assigned: Collection[TopicPartition]
    ) -> Awaitable[None] | None: ...

class AIOKafkaProducer:
    def __init__(
        self, *, bootstrap_servers: str, acks: str = ..., enable_idempotence: bool = False
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send_and_wait(self, topic: str, value: bytes) -> object: ...

class AIOKafkaConsumer:
    def __init__(
        self,
        *,
        bootstrap_servers: str,
        group_id: str,
        auto_offset_reset: str,
        enable_auto_commit: bool,
        max_poll_interval_ms: int,
        max_poll_records: int,
        session_timeout_ms: int,
    ) -> None: ...
    def subscribe(self, topics: Sequence[str], *, listener: ConsumerRebalanceListener) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...
    def __aiter__(self) -> AsyncIterator[ConsumerRecord]: ...
