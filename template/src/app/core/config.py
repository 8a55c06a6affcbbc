"""Settings from the environment, each with the prefix `APP_`, and from `.env` in development."""

import os
from functools import lru_cache
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from app.db.engine import BACKEND, URL_FORM, EngineSettings

Environment = Literal["production", "development", "test"]
AnySettings = TypeVar("AnySettings", bound=BaseSettings)


class Settings(EngineSettings):
    """What the core needs. A part that is added has its own class, in its own package."""

    model_config = SettingsConfigDict(env_prefix="APP_", extra="ignore")

    environment: Environment = "production"
    api_prefix: str = Field(default="", pattern=r"^(/[\w.-]+)*$")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    cors_origins: list[str] = Field(default=[])
    http_timeout: float = Field(default=10, gt=0)

    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1)
    database_max_overflow: int = Field(default=10, ge=0)
    database_pool_timeout: float = Field(default=10, gt=0)
    database_ping_after: float = Field(default=30, ge=0)
    database_ready_timeout: float = Field(default=2, gt=0)

    @field_validator("database_url")
    @classmethod
    def _names_an_async_driver(cls, value: SecretStr) -> SecretStr:
        """Refuse a URL that the service cannot use; never repeat its password."""
        try:
            dialect = make_url(value.get_secret_value()).get_dialect(_is_async=True)
            fits = dialect.is_async and dialect.name == BACKEND
        except (ArgumentError, ImportError, NoSuchModuleError):
            fits = False
        if not fits:
            message = f"Give a URL with an asynchronous driver, as {URL_FORM}"
            raise ValueError(message)
        return value


class ConfigurationError(SystemExit):
    """The settings do not allow a start. It ends the process with its sentence."""


def load_settings(settings_class: type[AnySettings]) -> AnySettings:
    """Read one part's settings from the environment; `.env` counts too, but never in tests.

    Raises:
        ConfigurationError: a setting is missing or wrong; says which, and never repeats a value.
    """
    env_file = None if os.environ.get("APP_ENVIRONMENT") == "test" else ".env"
    try:
        return settings_class(_env_file=env_file)
    except ValidationError as error:
        prefix = settings_class.model_config.get("env_prefix", "")
        problems = (
            f"{prefix}{item['loc'][0]}".upper() + f": {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        sentence = "The service cannot start. " + "; ".join(problems)
        raise ConfigurationError(sentence) from None


@lru_cache
def get_settings() -> Settings:
    """The core's settings, read once in the life of the process."""
    return load_settings(Settings)
