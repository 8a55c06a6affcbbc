"""What a task changes is evicted from the cache, in any process."""

import pytest

from app.cache.entries import row
from app.cache.invalidation import invalidate_row
from app.core.config import Settings
from app.tasks.models import TaskEffect
from app.tasks.process import open_database
from tests.cache.fixtures import Loader, MakeCache, Thing


async def test_change_of_a_worker_is_evicted(
    cached_settings: Settings, make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tasks.process.get_settings", lambda: cached_settings)
    cache, rows = make_cache(), [row(TaskEffect, "first")]
    await cache.get_or_load(Thing, rows, Loader("first"))
    database = open_database()
    async with database.write.begin() as session:
        invalidate_row(session, TaskEffect, "first")
    await database.close()
    assert await cache.get_or_load(Thing, rows, Loader("second")) == Thing(name="second")
