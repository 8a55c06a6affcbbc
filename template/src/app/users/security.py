"""Passwords (argon2id) and access tokens (JWT, RFC 7519, with the claims of RFC 9068)."""

from datetime import timedelta
from typing import Annotated
from unicodedata import normalize
from uuid import UUID

import jwt
from anyio import CapacityLimiter, to_thread
from fastapi import Depends
from fastapi.requests import HTTPConnection
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from uuid_utils.compat import uuid7

from app.db.base import utc_now
from app.users.config import AuthSettings
from app.users.errors import NotAuthenticated

ALGORITHM = "HS256"
LEEWAY = 10
"""Seconds by which the clocks of two servers may differ."""


class Security:
    """Hashes passwords, issues and reads access tokens.

    Passwords are composed first (Unicode NFC, NIST SP 800-63B): keyboards and systems differ in how
    they encode the same characters.
    """

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
        # Hashing is slow by design: a few threads do it, so that it does not block the event loop.
        self._limiter = CapacityLimiter(settings.argon2_concurrency)
        self._dummy_hash = self._passwords.hash(str(uuid7()))

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password."""
        return await to_thread.run_sync(
            self._passwords.hash, normalize("NFC", password), limiter=self._limiter
        )

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password matches its hash; takes as long if there is no hash."""
        matches = await to_thread.run_sync(
            self._passwords.verify,
            normalize("NFC", password),
            password_hash or self._dummy_hash,
            limiter=self._limiter,
        )
        return matches and password_hash is not None

    def issue_access_token(self, user_id: UUID) -> str:
        """A signed access token for this user, valid for `access_token_minutes`."""
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
        """The id of the user to whom the token was issued.

        Raises:
            NotAuthenticated: the token is expired, forged, or for another audience.
        """
        try:
            claims = jwt.decode(
                token,
                self.settings.secret.get_secret_value(),
                algorithms=[ALGORITHM],
                issuer=self.settings.issuer,
                audience=self.settings.audience,
                leeway=LEEWAY,
                options={"require": ["sub", "iss", "aud", "iat", "exp"]},
            )
            return UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError) as error:
            raise NotAuthenticated from error


async def get_security(connection: HTTPConnection) -> Security:
    """The application's `Security`."""
    security: Security = connection.app.state.security
    return security


SecurityDep = Annotated[Security, Depends(get_security)]
