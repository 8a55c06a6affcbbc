"""The URL of Redis, for settings."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr
from redis import from_url

EXAMPLE = "redis://user:password@host:6379/0"


def _checked(value: SecretStr) -> SecretStr:
    url = value.get_secret_value().strip()
    try:
        from_url(url)  # it connects on first use only
    except ValueError:
        raise ValueError(f"Use a URL such as {EXAMPLE}, or rediss:// for TLS") from None
    return SecretStr(url)


RedisURL = Annotated[SecretStr, AfterValidator(_checked)]
"""A setting with the URL of a Redis."""
