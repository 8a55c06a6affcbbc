"""Settings of the cache."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.config import NAME
from app.core.redis import RedisURL


class CacheSettings(BaseSettings):
    """Where and for how long values are cached, by `APP_CACHE_…`; times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="APP_CACHE_", env_ignore_empty=True, extra="ignore"
    )

    url: RedisURL | None = None
    prefix: str = Field(default=f"{NAME}-cache", pattern=r"^[\w-]+$")
    """The prefix of every key; services that share a Redis need different ones."""
    keep: float = Field(default=60, gt=0)
    """The lifetime of a value, and the longest time that one may be stale after an outage."""
    max_bytes: int = Field(default=65_536, ge=0)
    """The largest value that is cached, in bytes of JSON."""
    timeout: float = Field(default=0.5, gt=0)
    """The timeout of a request to Redis."""
    pause: float = Field(default=5, gt=0)
    """How long Redis is not asked after a failure."""
