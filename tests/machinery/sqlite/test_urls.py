"""URLs as people write them: each works with aiosqlite, or is refused at the start."""

# Depends on: src/app/db/url.py src/app/db/engine.py

from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.config import ConfigurationError, Settings, load_settings
from app.db.session import Database

WORKING = [
    "sqlite:///{folder}/app.db",
    "sqlite:///{folder}/app.db\n",
    "sqlite3:///{folder}/app.db",
    "sqlite+pysqlite:///{folder}/app.db",
    "sqlite+aiosqlite:///{folder}/app.db?timeout=5",
    "sqlite:///file:{folder}/app.db?mode=rwc&uri=true",
]
CONNECTION = "Use the URL of a file, such as sqlite+aiosqlite:////"
REFUSED = {
    "app.db": CONNECTION,
    "sqlite://": CONNECTION,
    "sqlite:///:memory:": CONNECTION,
    "sqlite:///file::memory:?uri=true": CONNECTION,
    "sqlite://app.db": CONNECTION,
    "postgres://user:pa55word@host/name": CONNECTION,
    "mysql://user:pa55word@host/name": CONNECTION,
    "sqlite:///app.db?_journal=WAL": "Remove _journal from the URL",
    "sqlite:///app.db?mode=rwc": "Remove mode from the URL",
}


def read(monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    """The settings of a service that is started with this URL."""
    monkeypatch.setenv("APP_DATABASE_URL", url)
    return load_settings(Settings)


@pytest.mark.parametrize("form", WORKING)
async def test_url_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    settings = read(monkeypatch, form.format(folder=tmp_path))
    # What was read can be read again, for instance from the environment of a child.
    settings = read(monkeypatch, settings.database_url.get_secret_value())
    database = Database.create(settings)
    async with database.read() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await database.close()
    assert (tmp_path / "app.db").exists()


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(monkeypatch, url)
    assert REFUSED[url] in str(refusal.value)
    assert "pa55word" not in str(refusal.value)
