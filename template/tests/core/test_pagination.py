"""Cursors."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.pagination import InvalidCursor, Page, cursor_of


@given(st.uuids())
def test_cursor_leads_back_to_its_row(identifier: UUID) -> None:
    assert Page.of(1, cursor_of(identifier)).after == identifier


@given(st.text())
def test_other_text_is_refused_or_is_a_cursor(text: str) -> None:
    try:
        page = Page.of(1, text)
    except InvalidCursor:
        return
    assert page.after is not None
    assert cursor_of(page.after) == text


@pytest.mark.parametrize("forged", ["", "x", "é", "AAAAAAAAAAAAAAAAAAAAAB", "A" * 23, "A" * 21])
def test_forged_cursor_is_refused(forged: str) -> None:
    with pytest.raises(InvalidCursor):
        Page.of(1, forged)
