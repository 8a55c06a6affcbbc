"""What is stored as read in Kafka is never more than what is done."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.tasks.broker import Progress

PARTITION = TopicPartition("tasks", 0)


@dataclass
class Record:
    """A message of the partition."""

    offset: int
    value: bytes | None = b"{}"
    topic: str = PARTITION.topic
    partition: int = PARTITION.partition


class Consumer(AIOKafkaConsumer):
    """A consumer that keeps what is committed."""

    def __init__(self) -> None:
        self.committed: list[int] = []

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Keep the offset."""
        self.committed.append(offsets[PARTITION])


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
def progress(consumer: Consumer) -> Progress:
    """The progress of a worker."""
    return Progress(consumer)


async def test_commits_up_to_the_oldest_that_is_not_done(
    progress: Progress, consumer: Consumer
) -> None:
    done = [progress.begin(Record(offset)) for offset in (5, 6, 7)]
    await progress.commit()
    done[1]()
    done[2]()
    await progress.commit()
    done[0]()
    await progress.commit()
    assert consumer.committed == [5, 8]


async def test_what_has_no_content_is_done(progress: Progress, consumer: Consumer) -> None:
    progress.begin(Record(3, value=None))
    await progress.commit()
    assert consumer.committed == [4]


async def test_what_was_taken_away_is_not_committed(progress: Progress, consumer: Consumer) -> None:
    """Its new consumer commits the progress."""
    done = progress.begin(Record(5))
    await progress.on_partitions_revoked([PARTITION])
    done()
    await progress.commit()
    assert consumer.committed == [5]
