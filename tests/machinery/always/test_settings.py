"""Whatever a variable contains, the service starts or says in one line which setting is wrong."""

import os
import re
import subprocess
import sys

import pytest
from pydantic_settings import BaseSettings

from app.core.config import ConfigurationError, Settings, load_settings
from app.main import create_app
from app.parts import TAGS
from tests.conftest import PROJECT

VALUES = ["", " ", "x", "-1", "0", "1e400", "inf", "nan", "[", "[]", "{}", "ä,", "9" * 400]


def classes() -> list[type[BaseSettings]]:
    """The settings of all parts; importing the parts defines them."""
    assert TAGS
    return [kind for kind in BaseSettings.__subclasses__() if kind.__module__.startswith("app.")]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A database that the variables name."""
    monkeypatch.setenv("APP_DATABASE_URL", settings.database_url.get_secret_value())


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_any_value_is_taken_or_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, kind: type[BaseSettings]
) -> None:
    for field in kind.model_fields:
        name = f"{kind.model_config.get('env_prefix', '')}{field}".upper()
        for value in VALUES:
            with monkeypatch.context() as patch:
                patch.setenv(name, value)
                try:
                    load_settings(kind)
                except ConfigurationError as refusal:
                    text = str(refusal)
                    prefix = kind.model_config.get("env_prefix", "")
                    assert f" {name}: " in text or f" {prefix}…: " in text, text
                    assert "\n" not in text


@pytest.mark.usefixtures("known")
def test_unknown_variables_are_named_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    monkeypatch.setenv("APP_NO_SUCH_PART", "x")
    create_app(settings)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "APP_NO_SUCH_PART" in line]
    assert '"level": "warning"' in line


def test_variables_of_the_example_are_known() -> None:
    """In a process that has imported what a server imports, and nothing else."""
    names = re.findall(r"(?m)^(?:# )?(APP_\w+)=", (PROJECT / ".env.example").read_text("utf-8"))
    code = "import app.main, app.core.config as c; c.warn_of_unknown_variables()"
    variables = os.environ | dict.fromkeys(names, "x") | {"APP_ENVIRONMENT": "test"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    assert "unknown settings" not in done.stdout + done.stderr
