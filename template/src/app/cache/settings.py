"""Settings of the cache, each with the prefix `APP_CACHE_`."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class CacheSettings(BaseSettings):
    """Where values are kept, how long, and how long Redis may take. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="APP_CACHE_", env_ignore_empty=True, extra="ignore"
    )

    url: SecretStr | None = None
    prefix: str = Field(default="cache", pattern=r"^[\w-]+$")
    """What every key begins with; services that share a Redis have one each."""
    keep: float = Field(default=60, gt=0)
    """How long a value is kept, and at most how old one is when nobody could say it had changed."""
    max_bytes: int = Field(default=65_536, ge=0)
    """The longest value that is kept, as JSON."""
    timeout: float = Field(default=0.5, gt=0)
    """How long an answer from Redis may take."""
    pause: float = Field(default=5, gt=0)
    """How long Redis is left alone after it gave no answer."""
