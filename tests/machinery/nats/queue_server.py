"""NATS as the broker of the tests: the one that `NATS_URL` names, or an embedded one."""

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

import nats

from tools.embedded_nats import nats_server


def server() -> AbstractContextManager[str]:
    """Return the URL of a broker."""
    given = os.environ.get("NATS_URL")
    return nullcontext(given) if given else nats_server("test")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Delete the stream on exit, if there is one."""
    yield
    client = await nats.connect(url)
    jetstream = client.jetstream()
    if queue in {stream.config.name for stream in await jetstream.streams_info()}:
        await jetstream.delete_stream(queue)
    await client.close()
