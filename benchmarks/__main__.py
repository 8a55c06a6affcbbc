"""Measure generated services: each benchmark is a script that runs inside of projects.

cache     many misses at once, changes under load, and Redis frozen and stopped
kills     workers are killed and the broker is restarted under load; what gets lost
outbox    changes whose tasks are stored with them, while everything is killed
outage    the database stops and starts again under load
pages     a page deep in a million rows, beside the first one
pooler    both PostgreSQL drivers behind PgBouncer in transaction mode
queues    every library of tasks on every broker: how fast, and how soon it gives away lost tasks
tasks     tasks that do nothing, beside the least that one can write with taskiq
upgrades  eight processes migrate one empty database at once
"""

import argparse
import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.source import copy_template, isolated
from plinth.harness.space import Answers
from tools.report import conclude, nothing_matches, say

INSIDE = Path(__file__).parent / "inside"
RESULTS = Path(__file__).parent / "results"
# A user, so that each request finds its caller first.
PSYCOPG: Answers = {"database": "postgresql", "database_driver": "psycopg"}
ASYNCPG: Answers = {"database": "postgresql", "database_driver": "asyncpg"}
MYSQL: Answers = {"database": "mysql", "database_driver": "asyncmy"}
SQLITE: Answers = {"database": "sqlite", "database_driver": "aiosqlite"}
TASKIQ = tuple[Answers, ...](
    {**PSYCOPG, "tasks": "taskiq", "broker": broker} for broker in ("redis", "rabbitmq", "nats")
)
OTHERS = tuple[Answers, ...](
    {**PSYCOPG, "tasks": tasks, "broker": broker}
    for tasks, broker in (
        ("arq", "redis"),
        ("celery", "redis"),
        ("celery", "rabbitmq"),
        ("dramatiq", "redis"),
        ("dramatiq", "rabbitmq"),
        ("rq", "redis"),
    )
)
PROJECTS: Mapping[str, Sequence[Answers]] = {
    "cache": ({**PSYCOPG, "cache": "redis"},),
    "kills": (*TASKIQ, *OTHERS),
    "outbox": ({**PSYCOPG, "tasks": "taskiq", "outbox": True, "broker": "redis"},),
    "outage": (PSYCOPG, ASYNCPG, MYSQL),
    "pages": (PSYCOPG, ASYNCPG, MYSQL, SQLITE),
    "pooler": (PSYCOPG, ASYNCPG),
    "queues": (*TASKIQ, *OTHERS),
    "tasks": TASKIQ,
    "upgrades": (PSYCOPG, MYSQL, SQLITE),
}


@dataclass(frozen=True)
class Report:
    """What was measured; `failed` names the projects that are outside of their limits."""

    name: str
    figures: Mapping[str, Mapping[str, object]]
    failed: Sequence[str]

    def __str__(self) -> str:
        """Return the closing line."""
        outside = f"outside of its limits: {', '.join(self.failed)}" if self.failed else "0 failed"
        return f"bench: {self.name}, {len(self.figures)} projects, {outside}"


def main() -> None:
    """Measure what the command line names."""
    parser = ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", choices=PROJECTS, nargs="?")
    parser.add_argument("--only", default="", help="the projects whose name begins so")
    parser.add_argument("--record", action="store_true", help="keep the figures, for `make docs`")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    given = parser.parse_args()
    if given.name is None:
        parser.error(f"NAME chooses a benchmark: {', '.join(PROJECTS)}")
    name: str = given.name
    chosen = [answers for answers in PROJECTS[name] if name_of(answers).startswith(given.only)]
    if not chosen:
        nothing_matches(parser, given.only, map(name_of, PROJECTS[name]))
    figures: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template")
        for answers in chosen:
            called = name_of(answers)
            project = GeneratedProject.render(template, Path(folder) / called, answers)
            project.sync()
            figures[called] = found = measure(project, name, answers)
            say(f"{called}: {', '.join(f'{key} {value}' for key, value in found.items())}")
            if given.record:
                record(name, called, found)
    failed = [called for called, found in figures.items() if not found["ok"]]
    conclude(Report(name, figures, failed), failed=bool(failed), as_json=given.json)


def record(name: str, called: str, found: Mapping[str, object]) -> None:
    """Keep the figures of a project in place of those from before."""
    file = RESULTS / f"{name}.json"
    kept: dict[str, object] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    kept[called] = found
    file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", "utf-8")


def name_of(answers: Answers) -> str:
    """Return what a project is called: the answers beside its database, else that."""
    others = [name for name in answers if name not in PSYCOPG]
    return " ".join(str(answers[name]) for name in others) or str(answers["database_driver"])


def measure(project: GeneratedProject, name: str, answers: Answers) -> dict[str, object]:
    """Run a benchmark in a project and return its figures, the last line that it prints."""
    done = subprocess.run(
        ["uv", "run", "python", str(INSIDE / f"{name}.py")],
        cwd=project.path,
        env=clean_environment(
            PYTHONPATH=str(project.path),
            BENCH_TASKS=str(answers.get("tasks", "")),
            BENCH_BROKER=str(answers.get("broker", "")),
        ),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"bench: {name} did not run to its end in {project.path.name}, see above.")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
