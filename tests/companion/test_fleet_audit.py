"""`plinth fleet audit`: each problem is found by its rule, and none where there is none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.companion.conftest import Checkout, Upstream, copied

README = "template/README.md"
NEXT: Mapping[str, str | None] = {README: "# Service\n\n1.\n\nTwo.\n\nThree.\n"}


@pytest.fixture
def fleet(upstream: Upstream, tmp_path: Path) -> Path:
    """Make a folder with two services of v0.1.0, whose template has v0.2.0 too."""
    for name in ("one", "two"):
        copied(upstream, tmp_path / "fleet" / name, cache="redis")
    upstream.release("v0.2.0", NEXT)
    return tmp_path / "fleet"


def audit(at: Path, *arguments: str, code: int = 0) -> Mapping[str, Mapping[str, Any]]:
    """Audit; return the services by their paths. Fails where it ends with another code."""
    done = Checkout(at).plinth("fleet", "audit", *arguments, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return {row["path"]: row for row in json.loads(done.stdout)["services"]}


def found(row: Mapping[str, Any]) -> list[str]:
    """Return the rules that a service does not keep."""
    return [finding["rule"] for finding in row["findings"]]


def test_behind(fleet: Path) -> None:
    """By releases and days; as many as are allowed are no finding."""
    rows = audit(fleet, ".", code=1)
    assert list(rows) == ["one", "two"]
    assert rows["one"]["version"], rows["one"]["target"] == ("v0.1.0", "v0.2.0")
    assert (rows["one"]["behind"], rows["one"]["days"]) == (1, 0)
    assert found(rows["one"]) == ["PF001"]
    assert not found(audit(fleet, ".", "--max-behind", "1")["one"])
    assert not found(audit(fleet, ".", "--to", "v0.1.0")["one"])
    assert audit(fleet, ".", "--fail-on", "PF002")["one"]["state"] == "PF001"
