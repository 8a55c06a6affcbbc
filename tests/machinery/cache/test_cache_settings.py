"""The cache's dependency in a WebSocket route, and a URL that it cannot use."""

# Depends on: src/app/cache/ src/app/core/redis.py tests/machinery/always/sockets.py

import pytest
from fastapi import FastAPI, WebSocket

from app.cache.cache import CacheDep
from app.core.config import ConfigurationError, Settings
from app.main import create_app
from tests.cache.fixtures import ROWS, Loader, Thing
from tests.machinery.always.sockets import dialogue


async def test_cache_works_in_a_websocket(cached_app: FastAPI) -> None:
    async def read(websocket: WebSocket, cache: CacheDep) -> None:
        await websocket.accept()
        await websocket.send_text((await cache.get_or_load(Thing, ROWS, Loader())).name)
        await websocket.close()

    cached_app.add_api_websocket_route("/cached", read)
    _, message, close = await dialogue(cached_app, "/cached")
    assert (message["text"], close["type"]) == ("first", "websocket.close")


@pytest.mark.parametrize("url", ["x", "http://host", "host:6379", "redis://host:port"])
def test_service_with_another_url_does_not_start(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, url: str
) -> None:
    monkeypatch.setenv("APP_CACHE_URL", url)
    with pytest.raises(ConfigurationError) as refusal:
        create_app(settings)
    assert " APP_CACHE_URL: Value error, Use a URL such as redis://" in str(refusal.value)
    assert "\n" not in str(refusal.value)
