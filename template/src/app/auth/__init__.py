"""Registration, log-in and tokens."""

from fastapi import FastAPI

from app.auth.router import password_router, router
from app.core.config import Settings, load_settings
from app.users.config import AuthSettings
from app.users.router import router as users_router
from app.users.security import Security


def install_auth(app: FastAPI, settings: Settings) -> None:
    """Add `/auth` and `/users`.

    Raises:
        ConfigurationError: production without a secret of its own.
    """
    auth = load_settings(AuthSettings)
    auth.check_for(settings.environment)
    app.state.security = Security(auth)
    for part in (router, users_router, password_router):
        app.include_router(part, prefix=settings.api_prefix)
