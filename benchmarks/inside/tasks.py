"""How many tasks that do nothing a worker does in a second, beside workers of taskiq alone.

The one to be compared with is the least that one can write with taskiq. The other has our settings
of the broker, and shows what our log and the rest around a task cost.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from app.tasks.broker import create_broker
from brokers import Broker, broker_server, minimal_broker
from nothing import ARGUMENTS, TASKS, nothing
from pydantic import SecretStr
from service import environment, wait_for
from sqlalchemy import URL
from taskiq import AsyncBroker, async_shared_broker
from tools.driver import DRIVER

from app.core.config import Settings
from app.db.session import Database
from app.tasks.assembly import assemble
from app.tasks.settings import TaskSettings

ROUNDS = 5
SENDERS = 50
LIMIT = 0.8
# It is never connected to.
DATABASE = URL.create(f"postgresql+{DRIVER}", "nobody", host="127.0.0.1", database="none")


def broker_of(whose: str, settings: TaskSettings) -> AsyncBroker:
    """Return the sender's end of the queue."""
    broker_url = settings.broker_url.get_secret_value()
    if whose == "minimum":
        return minimal_broker(broker_url, settings.queue)
    broker = create_broker(broker_url, settings)
    if whose != "ours":
        return broker
    url = SecretStr(DATABASE.render_as_string(hide_password=False))
    database = Database.create(Settings(environment="test", database_url=url))
    return assemble(broker, settings, database)


async def fill(broker: AsyncBroker) -> None:
    """Send the tasks."""
    await broker.startup()
    async_shared_broker.default_broker(broker)
    left = iter(range(TASKS))

    async def sender() -> None:
        for _ in left:
            await nothing.kiq()

    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    await broker.shutdown()


def drain(broker: Broker, whose: str, queue: str) -> tuple[float, float]:
    """Return the seconds from the first task to the last in one process, and the processor's."""
    with tempfile.NamedTemporaryFile() as result:
        variables = {"APP_TASKS_BROKER_URL": broker.url, "APP_TASKS_QUEUE": queue}
        worker = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nothing.py")), whose],
            env=environment(DATABASE, APP_LOG_LEVEL="INFO", BENCH_RESULT=result.name, **variables),
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: Path(result.name).stat().st_size > 0)
        worker.kill()
        worker.wait()
        seconds, busy = json.loads(Path(result.name).read_text())
        return seconds, busy


async def main() -> None:
    """Measure, and print the figures as JSON."""
    rounds: dict[str, list[tuple[float, float]]] = {whose: [] for whose in ARGUMENTS}
    with broker_server() as broker:
        for number in range(ROUNDS):
            for whose, found in rounds.items():
                queue = f"{whose}{number}"
                settings = TaskSettings(broker_url=SecretStr(broker.url), queue=queue)
                await fill(broker_of(whose, settings))
                found.append(await asyncio.to_thread(drain, broker, whose, queue))
    # The best round of each: what else the machine does only slows down.
    seconds = {whose: min(first for first, _ in found) for whose, found in rounds.items()}
    busy = {whose: min(second for _, second in found) for whose, found in rounds.items()}
    figures: dict[str, float | bool] = {}
    for whose in rounds:
        figures[f"{whose}/s"] = round(TASKS / seconds[whose])
        figures[f"{whose} CPU us"] = round(busy[whose] / TASKS * 1e6)
    for whose in ("minimum", "silent"):
        figures[f"of {whose}"] = round(seconds[whose] / seconds["ours"], 2)
    figures["ok"] = figures["of minimum"] >= LIMIT
    print(json.dumps(figures))


asyncio.run(main())
