"""Workers are killed five times and the broker once, while 500 tasks a second are sent.

Then the same again, without what keeps the tasks of a killed worker: some have to get lost.
"""

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from brokers import Broker, broker_server
from effects import TABLE
from library import LIBRARY
from marking import DECISIVE, NOT_SENT, sending, take_away
from pydantic import SecretStr
from service import database_server, environment, migrated
from sqlalchemy import text
from supervised import Service, kept_running

from app.db.session import Database
from app.tasks.settings import TaskSettings

# RQ has a process for each task, and does some ten a second.
IS_SLOW = LIBRARY == "rq"
TASKS = 500 if IS_SLOW else 10_000
TASKS_WITHOUT = 200 if IS_SLOW else 2_000
RATE = 20 if IS_SLOW else 500
SENDERS = 50
SECONDS = 0.03
KILLS = 4  # and one more when nothing new comes
# The last tasks take longer: all of them are in the worker's hands when it is killed.
LAST = 10
LAST_SECONDS = 0.5
AWAY = 3
LINE = len("began 00000\n")
TIMES = {"time_limit": 2.0, "redelivery_after": 5.0}
# For so long nothing is done, and what was not done until then is lost: a worker may take long to
# start on a machine that does other things too.
PATIENCE = 600
DEADLINE = TIMES["redelivery_after"] + 35


async def becomes(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


@dataclass
class Run:
    """Tasks that are sent, and what becomes of them."""

    tasks: int
    send_task: Callable[[str, float], Awaitable[object]]
    broker: Broker
    database: Database
    attempts: Path
    worker: Service
    sent: int = 0
    errors: int = 0

    async def send(self, numbers: range) -> None:
        """Send tasks at the rate; those of unknown outcome again, with the same key."""
        begin = time.monotonic()
        left = iter(numbers)

        async def sender() -> None:
            for number in left:
                await asyncio.sleep(begin + (number - numbers.start) / RATE - time.monotonic())
                seconds = SECONDS if number < self.tasks - LAST else LAST_SECONDS
                await self.deliver(f"{number:05}", seconds)

        await asyncio.gather(*(sender() for _ in range(SENDERS)))

    async def deliver(self, key: str, seconds: float) -> None:
        """Send a task until the broker takes it."""
        while True:
            try:
                await self.send_task(key, seconds)
            except NOT_SENT:
                self.errors += 1
                await asyncio.sleep(0.2)
            else:
                self.sent += 1
                return

    async def restart(self) -> None:
        """Stop and start the broker when half of the tasks are sent."""
        await becomes(lambda: self.sent > self.tasks / 2)
        await asyncio.to_thread(self.broker.stop)
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(self.broker.start)

    async def kill(self) -> None:
        """Kill the worker again and again, at last when nothing new comes."""
        for number in range(1, KILLS + 1):
            lines = 2 * self.tasks * number / (KILLS + 1)
            await becomes(lambda enough=lines: self.attempts.stat().st_size > enough * LINE)
            self.worker.kill()
        last = {f"began {number:05}" for number in range(self.tasks - LAST, self.tasks)}
        await becomes(lambda: last <= {*self.attempts.read_text()[-100 * LINE :].splitlines()})
        self.worker.kill()

    async def done(self) -> tuple[Counter[str], float]:
        """How often each key has its effect when all have, or the deadline has passed; and when."""
        found: Counter[str] = Counter()
        changed = time.monotonic()
        while len(found) < self.tasks and time.monotonic() < changed + DEADLINE:
            await asyncio.sleep(0.1)
            before = len(found)
            async with self.database.read() as session:
                found = Counter(await session.scalars(text("SELECT key FROM marks")))
            if len(found) > before:
                changed = time.monotonic()
        return found, changed

    async def figures(self) -> dict[str, float]:
        """Send, kill, and count."""
        begin = time.monotonic()
        await self.send(range(1))
        await becomes(lambda: self.attempts.stat().st_size > LINE)  # there is a worker
        kills = asyncio.create_task(self.kill())
        restart = asyncio.create_task(self.restart())
        await self.send(range(1, self.tasks - LAST))
        await self.send(range(self.tasks - LAST, self.tasks))
        await restart
        sent_at = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            await kills
        effects, ended_at = await self.done()
        words = Counter(line.split()[0] for line in self.attempts.read_text().splitlines())
        return {
            "sent": self.sent,
            "lost": self.tasks - len(effects),
            "doubled": sum(number > 1 for number in effects.values()),
            "extra attempts": words["began"] - self.tasks,
            "done again": words["again"],
            "send errors": self.errors,
            "sending s": round(sent_at - begin, 1),
            "drain s": round(ended_at - sent_at, 1),
            "ended by itself": self.worker.starts - KILLS - 2,
        }


async def measured(tasks: int, **variables: str) -> dict[str, float]:
    """Measure with a broker and a database of its own."""
    with (
        broker_server() as broker,
        database_server() as server,
        tempfile.NamedTemporaryFile() as attempts,
    ):
        database = migrated(server.url)
        async with database.write.begin() as session:
            await session.execute(text(TABLE))
        times = {f"APP_TASKS_{name}".upper(): str(value) for name, value in TIMES.items()}
        variables |= {"APP_TASKS_BROKER_URL": broker.url, "BENCH_ATTEMPTS": attempts.name}
        known = environment(server.url, **times, **variables)
        worker = Service([str(Path(__file__).with_name("marking.py"))], known)
        clock = Service(["-m", "app.tasks.clock"], known)
        async with (
            sending(TaskSettings(broker_url=SecretStr(broker.url), **TIMES), database) as send,
            kept_running(worker, clock),
        ):
            run = Run(tasks, send, broker, database, Path(attempts.name), worker)
            found = await run.figures()
        await database.close()
    return found


async def main() -> None:
    """Measure, and print the figures as JSON."""
    figures: dict[str, float | str] = {**await measured(TASKS), "deadline s": DEADLINE}
    figures["ok"] = not figures["lost"] and not figures["doubled"]
    # dramatiq on RabbitMQ keeps tasks by itself: there is nothing to take away.
    if DECISIVE:
        take_away()
        without = await measured(TASKS_WITHOUT, BENCH_WITHOUT="1")
        figures |= {"without": DECISIVE, "sent without": without["sent"]}
        figures |= {"lost without": without["lost"]}
        figures["ok"] = figures["ok"] and without["lost"] > 0
    print(json.dumps(figures))


asyncio.run(main())
