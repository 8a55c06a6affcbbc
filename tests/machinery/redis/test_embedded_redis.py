"""The embedded Redis: it stops with its last user, however that one ends."""

# Depends on: tools/__init__.py tools/embedded_redis.py tests/machinery/always/launcher.py

from socket import AF_UNIX, socket

import pytest

from tools import embedded_redis
from tools.embedded_redis import redis_server


def ping(url: str) -> bytes:
    with socket(AF_UNIX) as client:
        client.connect(url.removeprefix("unix://"))
        client.sendall(b"PING\r\n")
        return client.recv(16)


def test_server_has_stopped_when_its_last_user_leaves() -> None:
    """Otherwise the next user would join one that is about to stop."""
    with redis_server("once") as url:
        assert ping(url) == b"+PONG\r\n"
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        ping(url)


def test_server_stops_after_an_exception() -> None:
    with pytest.raises(LookupError), redis_server("failing") as url:
        raise LookupError
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        ping(url)


def test_server_that_does_not_get_ready_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_redis, "TIMEOUT", 1)
    monkeypatch.setattr(embedded_redis, "replies", lambda _: False)
    with pytest.raises(SystemExit, match="Valkey does not start"), redis_server("late"):
        pytest.fail("it is there")
    monkeypatch.undo()
    address = embedded_redis.state_directory() / "late" / "socket"
    assert embedded_redis.wait_until(lambda: not embedded_redis.replies(address))


def test_server_stays_for_the_second_user() -> None:
    with redis_server("shared") as url:
        with redis_server("shared") as same:
            assert same == url
        assert ping(url) == b"+PONG\r\n"
