"""Choose answers in the terminal, and run the tests of the resulting project: `make try`.

Only answers that go together are offered. The project stays in build/try.
"""

import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import questionary

from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.shrink import command_line
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import EVERYTHING, Answer, Answers, AnswerSpace

PROJECT = REPOSITORY / "build" / "try"
COMMANDS = (["git", "init", "--quiet"], ["uv", "sync", "--quiet"], ["uv", "run", "pytest"])


def main() -> None:
    """Ask, render, run the tests."""
    ArgumentParser(prog="make try", description=__doc__).parse_args()
    if not sys.stdin.isatty():
        sys.exit("try: it asks questions, so it wants a terminal.")
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template")
        space = AnswerSpace(template)
        answers = pick(space)
        if answers is None:
            sys.exit("try: stopped, nothing was made.")
        shutil.rmtree(PROJECT, ignore_errors=True)
        GeneratedProject.render(template, PROJECT, {**EVERYTHING, **answers})
        defaults = space.combination()
    other = {name: answer for name, answer in answers.items() if answer != defaults[name]}
    shown = PROJECT.relative_to(REPOSITORY)
    for command in COMMANDS:
        print(f"$ {' '.join(command)}", flush=True)
        if subprocess.run(command, cwd=PROJECT, env=clean_environment(), check=False).returncode:
            sys.exit(f"try: `{' '.join(command)}` failed in {shown}")
    print(f"try: the tests pass; the project is in {shown}, as from\n  {command_line(other)}")


def pick(space: AnswerSpace) -> Answers | None:
    """Ask each question that has more than one legal answer left; None if the user stops."""
    defaults = space.complete()
    choices = space.choose()
    for name, message in space.messages().items():
        if name not in choices:
            continue
        legal = list(choices.legal(name))
        if len(legal) == 1:
            answer: Answer | None = legal[0]
        else:
            offered = [questionary.Choice(str(value), value) for value in legal]
            default = next((c for c in offered if c.value == defaults[name]), offered[0])
            answer = questionary.select(message.strip(), offered, default).ask()
        if answer is None:
            return None
        choices.give(name, answer)
    return choices.made


if __name__ == "__main__":
    main()
