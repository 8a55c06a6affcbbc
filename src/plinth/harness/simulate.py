"""A template with more questions than ours, to see how the harness grows with them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

QUESTION = """\
{name}:
  type: str
  ask: "{{{{ preset == 'custom' }}}}"
  help: A question of no use.
  choices: {choices}
  default: {default}
"""
PACKAGE = '''\
"""A part of no use."""

import {module}
from fastapi import FastAPI
from pydantic_settings import BaseSettings, SettingsConfigDict


class {title}Settings(BaseSettings):
    """Its settings."""

    model_config = SettingsConfigDict(env_prefix="APP_{upper}_", extra="ignore")

    size: int = 1


def install_{part}(app: FastAPI) -> None:
    """Add it to the application."""
    app.state.{part} = ({title}Settings(), {module}.__name__)
'''
# Small distributions that a part can require, each with the module that it brings.
DISTRIBUTIONS = {
    "boltons": "boltons",
    "cachetools": "cachetools",
    "inflection": "inflection",
    "more-itertools": "more_itertools",
    "natsort": "natsort",
    "pathvalidate": "pathvalidate",
    "sortedcontainers": "sortedcontainers",
    "tabulate": "tabulate",
    "toolz": "toolz",
    "wrapt": "wrapt",
}


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
    unused = (name for name in DISTRIBUTIONS if not any(_requiring(template, name)))
    distribution = next(unused, next(iter(DISTRIBUTIONS)))
    shares = {
        "owns": f"src/app/{part}\n",
        "readme.md": f"\n## {part}\n\nOf no use.\n",
        "agents.md": f"- {part} is of no use.\n",
        "env": f"\n# Of no use\nAPP_{part.upper()}_SIZE=1\n",
        "dependencies": f'    "{distribution}>=0.1",\n',
        "import": f"from app.{part} import install_{part}\n",
        "install": f"    install_{part}(app)\n",
        "harness.toml": f"words = '\\b{part}\\b'\n",
    }
    for kind, text in shares.items():
        file = template / "extensions" / part / kind
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    package = template / "template" / "src" / "app" / part
    package.mkdir(parents=True)
    title = part.title().replace("_", "")
    told = {"part": part, "title": title, "upper": part.upper()}
    text = PACKAGE.format(module=DISTRIBUTIONS[distribution], **told)
    (package / "__init__.py").write_text(text, "utf-8")


def _requiring(template: Path, distribution: str) -> Iterator[Path]:
    """Yield the lists of dependencies that have it."""
    for file in template.glob("extensions/*/dependencies"):
        if f'"{distribution}>=' in file.read_text("utf-8"):
            yield file
