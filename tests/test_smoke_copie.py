"""The template also works for people who test with pytest-copie."""

from pathlib import Path
from typing import Any

import yaml


def test_copie(copie: Any, template: Path) -> None:  # noqa: ANN401 - the plugin has no types
    """A copy with other answers succeeds and records them."""
    result = copie.copy(extra_answers={"project_name": "Smoke Test"}, template_dir=template)
    assert result.exception is None
    assert result.exit_code == 0
    recorded = yaml.safe_load((result.project_dir / ".copier-answers.yml").read_text("utf-8"))
    assert recorded["project_name"] == "Smoke Test"
    assert recorded["project_slug"] == "smoke-test"
