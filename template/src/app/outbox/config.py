"""Settings of the outbox, each with the prefix `APP_OUTBOX_`."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from app.db.url import DatabaseURL


class OutboxSettings(BaseSettings):
    """Where the relay listens for notifications."""

    model_config = SettingsConfigDict(
        env_prefix="APP_OUTBOX_", env_ignore_empty=True, extra="ignore"
    )

    listen_url: DatabaseURL | None = None
    """PostgreSQL itself, where `APP_DATABASE_URL` names a pooler in transaction mode."""
