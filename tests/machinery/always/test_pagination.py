"""Cursors."""

# Depends on: src/app/core/pagination.py

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.pagination import cursor_of, read_cursor


@given(st.uuids())
def test_cursor_is_read_back(identifier: UUID) -> None:
    assert read_cursor(cursor_of(identifier)) == identifier


@pytest.mark.parametrize("forged", ["", "x", "é", "AAAAAAAAAAAAAAAAAAAAAB", "A" * 23, "A" * 21])
def test_forged_cursor_is_refused(forged: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        read_cursor(forged)
