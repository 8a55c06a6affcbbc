"""Conditional requests."""

# Depends on: src/app/core/preconditions.py

import pytest

from app.core.preconditions import (
    PreconditionFailed,
    check_version,
    etag_of,
    not_modified,
    versions_of,
)

LONG = f'"{"2" * 5000}"'


@pytest.mark.parametrize("header", [None, "*", '"2"', '"1", "2"', ' "2" '])
def test_if_match_accepts_the_version(header: str | None) -> None:
    check_version(2, versions_of(header))


@pytest.mark.parametrize("header", ["", '"1"', "2", 'W/"2"', '"1", "3"', '"22"', '"02"', LONG])
def test_if_match_refuses_other_versions(header: str) -> None:
    with pytest.raises(PreconditionFailed):
        check_version(2, versions_of(header))


@pytest.mark.parametrize("header", ["*", '"2"', 'W/"2"', '"1", W/"2"'])
def test_if_none_match_leaves_the_body_out(header: str) -> None:
    response = not_modified(header, 2)
    assert response
    assert (response.status_code, response.body) == (304, b"")
    assert response.headers["etag"] == etag_of(2)


@pytest.mark.parametrize("header", [None, "", '"1"', "2"])
def test_if_none_match_of_another_version_does_not(header: str | None) -> None:
    assert not_modified(header, 2) is None
