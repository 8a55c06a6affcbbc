"""What SIGTERM does while requests still come."""

import asyncio
import os
import signal
from types import FrameType

import pytest
from fastapi import FastAPI

from app.core.draining import install_draining


async def test_readiness_goes_before_the_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DRAIN_SECONDS", "0.2")
    stopped = asyncio.Event()

    def server_stops(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    previous = signal.signal(signal.SIGTERM, server_stops)
    try:
        app = FastAPI()
        app.state.draining = False
        install_draining(app)
        async with app.router.lifespan_context(app):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)
            assert app.state.draining
            assert not stopped.is_set()
            await asyncio.wait_for(stopped.wait(), 2)
        assert signal.getsignal(signal.SIGTERM) is server_stops
    finally:
        signal.signal(signal.SIGTERM, previous)


async def test_without_delay_the_server_keeps_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_DRAIN_SECONDS", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    app = FastAPI()
    install_draining(app)
    async with app.router.lifespan_context(app):
        assert signal.getsignal(signal.SIGTERM) is before
