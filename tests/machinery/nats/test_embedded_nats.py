"""The embedded NATS server: it stops with its last user, however that one ends."""

# Depends on: tools/__init__.py tools/embedded_nats.py tests/machinery/always/launcher.py

import pytest

from tools.embedded_nats import nats_server, running, state_directory


def url_of(purpose: str) -> str:
    return running(state_directory() / purpose)


def test_server_has_stopped_when_its_last_user_leaves() -> None:
    """Otherwise the next user would join one that is about to stop."""
    with nats_server("once") as url:
        assert url_of("once") == url
    assert not url_of("once")


def test_server_stops_after_an_exception() -> None:
    with pytest.raises(LookupError), nats_server("failing"):
        raise LookupError
    assert not url_of("failing")


def test_server_stays_for_the_second_user() -> None:
    with nats_server("shared") as url:
        with nats_server("shared") as same:
            assert same == url
        assert url_of("shared") == url
