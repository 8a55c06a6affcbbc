"""The audit log: what is recorded, and what is not."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.core.config import Settings
from app.main import create_app
from tests.conftest import client_of


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the audit log."""
    monkeypatch.setenv("APP_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    return tmp_path / "audit.jsonl"


def read(records: Path) -> list[Mapping[str, object]]:
    """Read the records there are."""
    text = records.read_text() if records.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


async def test_change_is_recorded(settings: Settings, records: Path) -> None:
    async with client_of(create_app(settings)) as client:
        await client.post("/nowhere?token=secret", headers={"X-Request-ID": "order-66"})
    (record,) = read(records)
    assert (record["method"], record["path"], record["status"]) == ("POST", "/nowhere", 404)
    assert record["request_id"] == "order-66"
    assert "secret" not in str(record)


async def test_read_is_not_recorded(settings: Settings, records: Path) -> None:
    async with client_of(create_app(settings)) as client:
        await client.get("/livez")
    assert read(records) == []


async def test_read_is_recorded_where_that_is_set(
    settings: Settings, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_AUDIT_READS", "true")
    async with client_of(create_app(settings)) as client:
        await client.get("/livez")
    assert [record["path"] for record in read(records)] == ["/livez"]


async def test_without_a_file_records_are_logged(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with client_of(create_app(settings)) as client:
        await client.delete("/nowhere")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (record,) = [line for line in lines if line["message"] == "audit"]
    assert (record["path"], record["status"]) == ("/nowhere", 404)
