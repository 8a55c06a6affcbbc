"""Settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.core.config import ConfigurationError, Settings, load_settings
from tests.databases import NOWHERE


def test_missing_setting_stops_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_DATABASE_URL", raising=False)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(Settings)
    assert "APP_DATABASE_URL" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["pa55word", "x+y://pa55word@h", "oracle+oracledb_async://u:pa55word@h/d"]
)
def test_unusable_url_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(Settings)
    assert "APP_DATABASE_URL" in str(refusal.value)
    assert "pa55word" not in str(refusal.value)


def test_production_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_ENVIRONMENT")
    assert Settings(database_url=SecretStr(NOWHERE)).environment == "production"


def test_env_file_is_read_but_not_by_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"APP_DATABASE_URL={NOWHERE}\nAPP_LOG_LEVEL=ERROR\n")
    monkeypatch.setenv("APP_DATABASE_URL", NOWHERE)
    assert load_settings(Settings).log_level == "INFO"
    monkeypatch.setenv("APP_ENVIRONMENT", "development")
    assert load_settings(Settings).log_level == "ERROR"


@pytest.mark.parametrize("prefix", ["v1", "/v1/", "/"])
def test_prefix_begins_with_a_slash_and_has_no_last_one(prefix: str) -> None:
    with pytest.raises(ValidationError):
        Settings(database_url=SecretStr(NOWHERE), api_prefix=prefix)
