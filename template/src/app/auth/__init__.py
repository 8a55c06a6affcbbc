"""Registration, log-in and tokens."""

from fastapi import FastAPI

from app.auth.registration import router as registration_router
from app.auth.router import password_router, router
from app.core.config import Settings, load_settings
from app.core.security import AuthSettings, Security
from app.users.router import router as users_router


def install_auth(app: FastAPI, settings: Settings) -> None:
    """Add `/auth` and `/users`.

    Raises:
        ConfigurationError: no secret of one's own in production.
    """
    auth = load_settings(AuthSettings)
    auth.check_for(settings.environment)
    app.state.security = Security(auth)
    for added in (registration_router, router, users_router, password_router):
        app.include_router(added, prefix=settings.api_prefix)
