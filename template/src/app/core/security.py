"""Passwords (argon2id) and access tokens (JWT, RFC 7519, in the manner of RFC 9068)."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import jwt
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from rfc9457 import StatusProblem
from uuid_utils.compat import uuid7

from app.core.config import ConfigurationError, Environment
from app.db.base import utc_now

ALGORITHM = "HS256"
EXAMPLE_SECRET = "an-example-secret-for-development-only"  # noqa: S105 - refused in production


class AuthSettings(BaseSettings):
    """Life times of tokens, and the cost of a password (memory in KiB)."""

    model_config = SettingsConfigDict(env_prefix="APP_AUTH_", extra="ignore")

    secret: SecretStr = Field(default=SecretStr(EXAMPLE_SECRET), min_length=32)
    issuer: str = "app"
    audience: str = "app"
    access_token_minutes: int = Field(default=15, ge=1)
    refresh_token_days: int = Field(default=30, ge=1)
    argon2_memory: int = Field(default=19_456, ge=8)
    argon2_iterations: int = Field(default=2, ge=1)
    argon2_parallelism: int = Field(default=1, ge=1)
    argon2_concurrency: int = Field(default=2, ge=1)

    def check_for(self, environment: Environment) -> None:
        """Refuse to run in production with a secret that everybody knows.

        Raises:
            ConfigurationError: the secret is missing, or it is the example.
        """
        if environment == "production" and self.secret.get_secret_value() == EXAMPLE_SECRET:
            sentence = "The service cannot start. APP_AUTH_SECRET: set a secret of your own."
            raise ConfigurationError(sentence)


class NotAuthenticated(StatusProblem):
    """The token is missing, expired, or not ours."""

    status = 401
    title = "Authentication is needed."
    type_ = "not-authenticated"
    headers_ = {"WWW-Authenticate": "Bearer"}


class Security:
    """Hashes passwords, issues and reads access tokens."""

    def __init__(self, settings: AuthSettings) -> None:
        self.settings = settings
        self._passwords = PasswordHash(
            (
                Argon2Hasher(
                    time_cost=settings.argon2_iterations,
                    memory_cost=settings.argon2_memory,
                    parallelism=settings.argon2_parallelism,
                ),
            )
        )
        # In threads, a few at a time: hashing is slow by design, other requests must not wait.
        self._limiter = CapacityLimiter(settings.argon2_concurrency)
        self._nobody = self._passwords.hash(str(uuid7()))

    async def hash(self, password: str) -> str:
        """The hash to store for a password."""
        return await to_thread.run_sync(self._passwords.hash, password, limiter=self._limiter)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password fits; takes the same time where there is no hash to compare."""
        fits = await to_thread.run_sync(
            self._passwords.verify, password, password_hash or self._nobody, limiter=self._limiter
        )
        return fits and password_hash is not None

    def issue_access_token(self, user_id: UUID) -> str:
        """A signed token that says who the caller is, for `access_token_minutes`."""
        now = utc_now()
        claims = {
            "sub": str(user_id),
            "iss": self.settings.issuer,
            "aud": self.settings.audience,
            "iat": now,
            "exp": now + timedelta(minutes=self.settings.access_token_minutes),
            "jti": str(uuid7()),
        }
        return jwt.encode(claims, self.settings.secret.get_secret_value(), algorithm=ALGORITHM)

    def read_access_token(self, token: str) -> UUID:
        """The id of the user whom the token was issued to.

        Raises:
            NotAuthenticated: the token is expired, forged, or for somebody else.
        """
        try:
            claims = jwt.decode(
                token,
                self.settings.secret.get_secret_value(),
                algorithms=[ALGORITHM],
                issuer=self.settings.issuer,
                audience=self.settings.audience,
                options={"require": ["sub", "iss", "aud", "iat", "exp"]},
            )
            return UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError) as error:
            raise NotAuthenticated from error


async def get_security(request: Request) -> Security:
    """The application's `Security`."""
    security: Security = request.app.state.security
    return security


SecurityDep = Annotated[Security, Depends(get_security)]
