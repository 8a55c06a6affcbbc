"""Settings of the audit log."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class AuditSettings(BaseSettings):
    """What is recorded where, by `APP_AUDIT_…`."""

    model_config = SettingsConfigDict(
        env_prefix="APP_AUDIT_", env_ignore_empty=True, extra="ignore"
    )

    file: Path | None = None
    """The file that records are appended to; without it they go to the log."""
    reads: bool = False
    """Whether requests that change nothing are recorded too."""
