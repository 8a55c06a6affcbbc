"""Brokers for benchmarks: started by them, on ports and in folders of their own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from library import BROKER
from service import answers, free_port, wait_for

if TYPE_CHECKING:
    from taskiq import AsyncBroker

# Debian's own command changes the user, and with it the environment.
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@dataclass
class Broker:
    """A broker that can be stopped and started again; it keeps its tasks on disk."""

    kind: str
    url: str
    port: int
    command: Sequence[str]
    environment: dict[str, str]
    ended_by: signal.Signals
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: answers(self.port))

    def stop(self) -> None:
        """Stop it, in the way that is hardest and still keeps what it has."""
        if self.process:
            self.process.send_signal(self.ended_by)
            self.process.wait()


def stock() -> None:
    """From now on, let the project make a broker of the library's own class."""
    if BROKER == "redis":
        from taskiq_redis import RedisStreamBroker

        import app.tasks.broker

        # The others are that already.
        app.tasks.broker.StreamBroker = partial(RedisStreamBroker, unacknowledged_lock_timeout=5)


def minimal_broker(url: str, queue: str) -> "AsyncBroker":
    """Return the library's broker as its documentation begins: all but the names by default.

    Each of the three keeps tasks on disk and wants them acknowledged.
    """
    if BROKER == "redis":
        from taskiq_redis import RedisStreamBroker

        return RedisStreamBroker(url, queue_name=queue, consumer_group_name=queue)
    if BROKER == "rabbitmq":
        from taskiq_aio_pika import AioPikaBroker, Exchange, Queue

        return AioPikaBroker(url, exchange=Exchange(name=queue), task_queues=[Queue(name=queue)])
    from taskiq_nats import PullBasedJetStreamBroker

    return PullBasedJetStreamBroker(url, subject=queue, stream_name=queue, durable=queue)


@contextmanager
def broker_server() -> Generator[Broker]:
    """Start a broker of this project's kind with nothing in it."""
    known: dict[str, Callable[[Path, int], Broker]] = {
        "redis": redis,
        "rabbitmq": rabbitmq,
        "nats": nats,
    }
    with tempfile.TemporaryDirectory(prefix="bench", ignore_cleanup_errors=True) as folder:
        broker = known[BROKER](Path(folder), free_port())
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()
            if "ERL_EPMD_PORT" in broker.environment:
                subprocess.run(
                    ["epmd", "-kill"],
                    env=broker.environment,
                    stdout=subprocess.DEVNULL,
                    check=False,
                )


def redis(folder: Path, port: int) -> Broker:
    """Redis, else Valkey of the project's package; written to disk every second."""
    program = shutil.which("redis-server")
    if program is None:
        from tools.embedded_redis import server_program

        program = str(server_program())
    options = ["--port", str(port), "--dir", str(folder), "--appendonly", "yes", "--save", ""]
    url = f"redis://127.0.0.1:{port}/0"
    return Broker("redis", url, port, [program, *options], {**os.environ}, signal.SIGKILL)


def nats(folder: Path, port: int) -> Broker:
    """NATS with JetStream."""
    program = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("Install NATS for this, as Debian's package nats-server.")
    command = [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    url = f"nats://127.0.0.1:{port}"
    return Broker("nats", url, port, command, {**os.environ}, signal.SIGKILL)


def rabbitmq(folder: Path, port: int) -> Broker:
    """RabbitMQ as a node that no other knows."""
    if not Path(RABBITMQ).exists():
        sys.exit("Install RabbitMQ for this, as Debian's package rabbitmq-server.")
    environment = {
        **os.environ,
        "HOME": str(folder),  # where the cookie is
        "ERL_EPMD_PORT": str(free_port()),
        "RABBITMQ_NODENAME": f"bench{os.getpid()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
    }
    url = f"amqp://guest:guest@127.0.0.1:{port}/"
    return Broker("rabbitmq", url, port, [RABBITMQ], environment, signal.SIGTERM)
