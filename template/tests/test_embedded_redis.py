"""The embedded Redis is there for whoever uses it, also if another one has just ended."""

from socket import AF_UNIX, socket

import pytest

from tools.embedded_redis import redis_server


def answer(url: str) -> bytes:
    with socket(AF_UNIX) as client:
        client.connect(url.removeprefix("unix://"))
        client.sendall(b"PING\r\n")
        return client.recv(16)


def test_server_has_ended_when_its_last_user_goes_on() -> None:
    """Else the next user would join one that is about to stop."""
    with redis_server("once") as url:
        assert answer(url) == b"+PONG\r\n"
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        answer(url)


def test_server_stays_for_the_second_user() -> None:
    with redis_server("shared") as url:
        with redis_server("shared") as same:
            assert same == url
        assert answer(url) == b"+PONG\r\n"
