"""Records of the server's own loggers."""

# Depends on: src/app/core/logging.py

import json
import logging

import pytest

from app.core.config import Settings
from app.core.logging import configure_logging


def test_copy_of_the_message_for_terminals_is_left_out(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    extra = {"color_message": "Started \x1b[36m%d\x1b[0m", "client": "a"}
    logging.getLogger("server").warning("Started %d", 1, extra=extra)
    record = json.loads(capsys.readouterr().out)
    assert (record["message"], record["client"]) == ("Started 1", "a")
    assert "color_message" not in record
