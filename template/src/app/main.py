"""The application: what it consists of and how it starts and stops."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app.core.config import Settings, get_settings
from app.core.errors import install_errors
from app.core.http import create_http_client
from app.core.project import NAME, SUMMARY, VERSION
from app.core.requests import RequestMiddleware
from app.db.session import Database
from app.parts import install_parts


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; nothing connects before its lifespan starts.

    Without `settings` they are read from the environment and `.env`.
    """
    settings = settings or get_settings()
    app = FastAPI(title=NAME, summary=SUMMARY, version=VERSION, lifespan=lifespan)
    app.state.settings = settings
    app.state.database = Database.create(settings)
    app.state.draining = False
    install_errors(app)
    install_parts(app, settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["X-Request-ID"],
        )
    app.add_middleware(RequestMiddleware)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Hold what lives as long as the application: database pool and outbound HTTP client."""
    async with create_http_client(app.state.settings) as client:
        app.state.http_client = client
        try:
            yield
        finally:
            await app.state.database.close()
