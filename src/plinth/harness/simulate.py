"""A template with more questions than ours, to see how the harness grows with them."""

import re
from collections.abc import Sequence
from pathlib import Path

QUESTION = """\
{name}:
  type: str
  ask: "{{{{ preset == 'custom' }}}}"
  help: A question of no use.
  choices: {choices}
  default: {default}
"""
SETTINGS = '''\
"""A part of no use."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class {title}Settings(BaseSettings):
    """Its settings."""

    model_config = SettingsConfigDict(env_prefix="APP_{upper}_", extra="ignore")

    size: int = 1
'''


def add_question(template: Path, name: str, choices: Sequence[str]) -> None:
    """Add a question; each answer but the first brings a part with a package and shares."""
    default, *others = choices
    (template / "questions" / f"{name}.yml").write_text(
        QUESTION.format(name=name, choices=[*choices], default=default), "utf-8"
    )
    file = template / "copier.yml"
    text = file.read_text("utf-8")
    text = text.replace(
        "---\n# Every part", f"---\n!include questions/{name}.yml\n---\n# Every part"
    )
    conditions = "".join(f"    {name}_{other}: {{{{ {name} == '{other}' }}}}\n" for other in others)
    text = re.sub(r"(?m)^    \{% include 'organisation/extensions'", rf"{conditions}\g<0>", text)
    file.write_text(text, "utf-8")
    for other in others:
        _add_part(template, f"{name}_{other}")


def _add_part(template: Path, part: str) -> None:
    shares = {
        "owns": f"src/app/{part}\n",
        "readme.md": f"\n## {part}\n\nOf no use.\n",
        "agents.md": f"- {part} is of no use.\n",
        "env": f"\n# Of no use\nAPP_{part.upper()}_SIZE=1\n",
    }
    for kind, text in shares.items():
        file = template / "extensions" / part / kind
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    package = template / "template" / "src" / "app" / part
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""A part of no use."""\n', "utf-8")
    title = part.title().replace("_", "")
    settings = SETTINGS.format(title=title, upper=part.upper())
    (package / "settings.py").write_text(settings, "utf-8")
