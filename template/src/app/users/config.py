"""Settings of passwords and access tokens."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.config import NAME, ConfigurationError, Environment

EXAMPLE_SECRET = "an-example-secret-for-development-only"  # noqa: S105 - refused in production


class AuthSettings(BaseSettings):
    """The lifetimes of tokens, and the cost of hashing a password (memory in KiB)."""

    model_config = SettingsConfigDict(env_prefix="APP_AUTH_", extra="ignore")

    secret: SecretStr = Field(default=SecretStr(EXAMPLE_SECRET), min_length=32)
    issuer: str = NAME
    audience: str = NAME
    access_token_minutes: int = Field(default=15, ge=1)
    refresh_token_days: int = Field(default=30, ge=1)
    argon2_memory: int = Field(default=19_456, ge=8)
    argon2_iterations: int = Field(default=2, ge=1)
    argon2_parallelism: int = Field(default=1, ge=1)
    argon2_concurrency: int = Field(default=2, ge=1)

    def check_for(self, environment: Environment) -> None:
        """Refuse to run in production with the example secret.

        Raises:
            ConfigurationError: the secret is missing, or is the example.
        """
        if environment == "production" and self.secret.get_secret_value() == EXAMPLE_SECRET:
            raise ConfigurationError(
                "The service cannot start. APP_AUTH_SECRET: set a secret of your own."
            )
