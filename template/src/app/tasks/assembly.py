"""A broker with what our tasks need around them."""

import importlib
import pkgutil

from taskiq import AsyncBroker
from taskiq.formatters.json_formatter import JSONFormatter

import app
from app.core.database import Database
from app.tasks.middleware import Failures, RequestId, TimeLimit
from app.tasks.settings import TaskSettings


def assemble(broker: AsyncBroker, settings: TaskSettings, database: Database) -> AsyncBroker:
    """Give tasks the database and the settings that they ask for, and let no failure get lost."""
    broker.add_dependency_context({Database: database, TaskSettings: settings})
    return broker.with_formatter(JSONFormatter()).with_middlewares(
        RequestId(), TimeLimit(settings.time_limit), Failures(settings, database)
    )


def import_tasks() -> None:
    """Import every module called `tasks`, so that its tasks are known."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(".tasks"):
            importlib.import_module(module.name)
