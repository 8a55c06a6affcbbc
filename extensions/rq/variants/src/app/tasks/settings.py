"""Settings of the tasks, each with the prefix `APP_TASKS_`."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.config import ConfigurationError, Environment


class TaskSettings(BaseSettings):
    """Where tasks go, how long they run and how often. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="APP_TASKS_", env_ignore_empty=True, extra="ignore"
    )

    broker_url: SecretStr | None = None
    queue: str = Field(default="tasks", pattern=r"^[\w-]+$")
    time_limit: float = Field(default=60, gt=0)
    redelivery_after: float = Field(default=300, gt=0)
    """When a task whose worker is gone is given to another one."""
    attempts: int = Field(default=5, ge=1)
    retry_delay: float = Field(default=1, ge=0)
    """Before the second attempt; each further one waits twice as long, an hour at most."""
    keep_failed_days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _are_redelivered_after_their_time(self) -> Self:
        # A task may wait for the one before it, and both may take as long as they are allowed.
        if self.redelivery_after <= 2 * self.time_limit:
            message = "redelivery_after must be more than twice time_limit"
            raise ValueError(message)
        return self

    def check_for(self, environment: Environment) -> None:
        """Refuse to run in production without a broker.

        Raises:
            ConfigurationError: `APP_TASKS_BROKER_URL` is missing.
        """
        if environment == "production" and not self.broker_url:
            sentence = "The service cannot start. APP_TASKS_BROKER_URL: set the broker's URL."
            raise ConfigurationError(sentence)
