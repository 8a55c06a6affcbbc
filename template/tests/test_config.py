"""Settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import URL

from app.core.config import ConfigurationError, Settings, load_settings


@pytest.fixture
def database_url(server: URL) -> str:
    """A valid URL."""
    return server.render_as_string(hide_password=False)


def test_missing_setting_stops_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_DATABASE_URL", raising=False)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(Settings)
    assert "APP_DATABASE_URL" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["pa55word", "x+y://pa55word@h", "oracle+oracledb_async://u:pa55word@h/d"]
)
def test_invalid_url_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(Settings)
    assert "APP_DATABASE_URL" in str(refusal.value)
    assert "pa55word" not in str(refusal.value)


def test_environment_is_production_by_default(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.delenv("APP_ENVIRONMENT")
    assert Settings(database_url=SecretStr(database_url)).environment == "production"


def test_env_file_is_read_except_by_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("APP_LOG_LEVEL=ERROR\n")
    monkeypatch.setenv("APP_DATABASE_URL", database_url)
    assert load_settings(Settings).log_level == "INFO"
    monkeypatch.setenv("APP_ENVIRONMENT", "development")
    assert load_settings(Settings).log_level == "ERROR"


@pytest.mark.parametrize("prefix", ["v1", "/v1/", "/"])
def test_prefix_starts_with_a_slash_and_does_not_end_with_one(
    prefix: str, database_url: str
) -> None:
    with pytest.raises(ValidationError):
        Settings(database_url=SecretStr(database_url), api_prefix=prefix)
