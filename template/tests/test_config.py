"""Settings."""

from pathlib import Path
from typing import Self

import pytest
from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL
from structlog.testing import capture_logs

from app.core.config import ConfigurationError, Settings, load_settings, warn_of_unknown_variables

EXAMPLES = {"APP_CORS_ORIGINS", "APP_ALLOWED_HOSTS"}


class OwnSettings(BaseSettings):
    """Settings as a service adds them."""

    model_config = SettingsConfigDict(env_prefix="APP_OWN_", extra="ignore")

    limits: dict[str, int]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.limits:
            raise ValueError("name at least one limit")
        return self


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


def test_docs_are_served_except_in_production(settings: Settings) -> None:
    assert settings.serves_docs
    production = settings.model_copy(update={"environment": "production"})
    assert not production.serves_docs
    assert production.model_copy(update={"docs": True}).serves_docs


def test_env_file_is_read_except_by_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("APP_LOG_LEVEL=ERROR\n")
    monkeypatch.setenv("APP_DATABASE_URL", database_url)
    assert load_settings(Settings).log_level == "INFO"
    monkeypatch.setenv("APP_ENVIRONMENT", "development")
    assert load_settings(Settings).log_level == "ERROR"


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", []),
        ("https://A.org/, http://localhost:5173", ["https://a.org", "http://localhost:5173"]),
        ('["https://a.org"]', ["https://a.org"]),
        ("*", ["*"]),
    ],
)
def test_origins_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, database_url: str, text: str, origins: list[str]
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", database_url)
    monkeypatch.setenv("APP_CORS_ORIGINS", text)
    assert load_settings(Settings).cors_origins == origins


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_CORS_ORIGINS", "a.org"),
        ("APP_CORS_ORIGINS", "https://a.org/path"),
        ("APP_CORS_ORIGINS", '{"a": 1}'),
        ("APP_ALLOWED_HOSTS", "https://a.org"),
        ("APP_ALLOWED_HOSTS", "a.*.org"),
        ("APP_DOCS", "perhaps"),
        ("APP_DATABASE_POOL_SIZE", "ten"),
        ("APP_DATABASE_POOL_TIMEOUT", "inf"),
    ],
)
def test_malformed_setting_stops_with_one_line(
    monkeypatch: pytest.MonkeyPatch, database_url: str, name: str, value: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", database_url)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(Settings)
    assert f" {name}: " in str(refusal.value)
    assert ("for example" in str(refusal.value)) == (name in EXAMPLES)
    assert "\n" not in str(refusal.value)


def test_setting_of_another_form_and_rules_between_settings_stop_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APP_OWN_LIMITS", "not JSON")
    with pytest.raises(ConfigurationError, match="limits"):
        load_settings(OwnSettings)
    monkeypatch.setenv("APP_OWN_LIMITS", "{}")
    with pytest.raises(ConfigurationError, match=r"APP_OWN_….*at least one limit"):
        load_settings(OwnSettings)


def test_env_file_that_is_not_unicode_stops_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APP_ENVIRONMENT", "development")
    (tmp_path / ".env").write_bytes("APP_LOG_LEVEL=café\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"\.env: .*utf-8"):
        load_settings(Settings)


def test_misspelt_variables_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with capture_logs() as logs:
        warn_of_unknown_variables()
        assert not logs
        monkeypatch.setenv("APP_ENVIRONMENT", "development")
        monkeypatch.setenv("APP_LOG_LEVL", "ERROR")
        monkeypatch.setenv("APP_OWN_LIMITS", "{}")
        (tmp_path / ".env").write_text("APP_BILLING_URL=x\nAPP_LOG_LEVEL=INFO\nOTHER=x\n")
        warn_of_unknown_variables()
    assert [log["names"] for log in logs] == [["APP_BILLING_URL", "APP_LOG_LEVL"]]


@pytest.mark.parametrize("prefix", ["v1", "/v1/", "/"])
def test_prefix_starts_with_a_slash_and_does_not_end_with_one(
    prefix: str, database_url: str
) -> None:
    with pytest.raises(ValidationError):
        Settings(database_url=SecretStr(database_url), api_prefix=prefix)
