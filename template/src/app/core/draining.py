"""Stop gently: first no new traffic, then no more connections.

A server that stops listening at SIGTERM resets the connections that its load balancer still sends.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import FrameType

from fastapi import APIRouter, FastAPI
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.config import load_settings


class DrainSettings(BaseSettings):
    """How long the service goes on after it was told to stop."""

    model_config = SettingsConfigDict(env_prefix="APP_DRAIN_", extra="ignore")

    seconds: float = Field(default=0, ge=0)


def install_draining(app: FastAPI) -> None:
    """On SIGTERM, let `/readyz` refuse for `APP_DRAIN_SECONDS` before the server stops."""
    seconds = load_settings(DrainSettings).seconds

    @asynccontextmanager
    async def drain(_app: FastAPI) -> AsyncGenerator[None]:
        server_stops = signal.getsignal(signal.SIGTERM)
        if not callable(server_stops) or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def start(number: int, frame: FrameType | None) -> None:
            app.state.draining = True
            loop.call_soon_threadsafe(loop.call_later, seconds, server_stops, number, frame)

        signal.signal(signal.SIGTERM, start)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, server_stops)

    if seconds:
        app.include_router(APIRouter(lifespan=drain))
