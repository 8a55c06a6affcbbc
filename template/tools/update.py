"""Bring the template's next release into this project: `make update`.

The update is rehearsed in a clone first. Where it would delete lines that were added here, it
stops and names the files; nothing has changed then. See https://copier.readthedocs.io/en/stable/.
"""

import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

PROJECT = Path(__file__).parent.parent
ANSWERS = ".copier-answers.yml"
HOSTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
NEXT = "Resolve them, then: git add . && uv lock && make check test"


@dataclass(frozen=True)
class Update:
    """What was asked for: a release (the newest if empty), changed answers, paths to keep."""

    version: str
    data: list[str]
    keep: list[str]

    @classmethod
    def from_command_line(cls) -> "Update":
        """Read the arguments, each as make passes it on: one string, perhaps empty."""
        parser = ArgumentParser(prog="make update")
        for name in ("version", "data", "keep"):
            parser.add_argument(f"--{name}", default="")
        given = parser.parse_args()
        version: str = given.version
        return cls(
            ":current:" if version == "current" else version,
            shlex.split(given.data),
            shlex.split(given.keep),
        )

    def apply(self, project: Path) -> None:
        """Let Copier change the files of `project`, a folder in a clean Git work tree."""
        options = ["--vcs-ref", self.version] if self.version else []
        for answer in self.data:
            options += ["--data", answer]
        for path in self.keep:
            options += ["--exclude", f"/{path}"]
        copier("update", "--defaults", "--quiet", *options, str(project))


def main() -> None:
    """Rehearse, tell, update, check."""
    update = Update.from_command_line()
    if run("git", "status", "--porcelain"):
        sys.exit("Commit or stash your changes first: an update starts from a clean tree.")
    before = recorded(PROJECT)
    with TemporaryDirectory() as folder:
        trial = rehearse(update, Path(folder) / "trial")
        if not run("git", "status", "--porcelain", at=trial):
            sys.exit(f"Nothing to update: this is {before['_commit']} with these answers.")
        after = recorded(trial)
        print(news(before, after, Path(folder) / "template"), flush=True)
        if lost := losses(original(before, Path(folder) / "original"), trial):
            sys.exit(
                "The update would take away what was written here in:\n"
                + "".join(f"  {path}\n" for path in lost)
                + f'Nothing has changed. Keep the files as they are by KEEP="{shlex.join(lost)}",\n'
                "or remove them yourself (git rm), commit, and run it again."
            )
    update.apply(PROJECT)
    conflicts = run("git", "diff", "--name-only", "--diff-filter=U").splitlines()
    if conflicts:
        sys.exit("Conflicts in:\n" + "".join(f"  {path}\n" for path in conflicts) + NEXT)
    finish(f"Updated from {before['_commit']} to {after['_commit']}")


def rehearse(update: Update, clone: Path) -> Path:
    """Update a clone of this project, and return its folder in there."""
    root = run("git", "rev-parse", "--show-toplevel")
    prefix = run("git", "rev-parse", "--show-prefix")
    run("git", "clone", "--quiet", root, str(clone))
    update.apply(clone / prefix)
    return clone / prefix


def original(answers: dict[str, object], folder: Path) -> Path:
    """Render the template with these answers, as it was before any edit."""
    source, commit = str(answers["_src_path"]), str(answers["_commit"])
    known = ["--data-file", str(PROJECT / ANSWERS), "--vcs-ref", commit]
    copier("copy", "--defaults", "--quiet", *known, source, str(folder))
    return folder


def losses(rendered: Path, updated: Path) -> list[str]:
    """The edited files of this project of which `updated` misses a line that was written here."""
    return [
        path
        for path in run("git", "ls-files", "-z").split("\0")
        if loses(PROJECT / path, rendered / path, updated / path)
    ]


def loses(mine: Path, rendered: Path, updated: Path) -> bool:
    """Whether an edit of `mine` is not in the file `updated`, not even in a conflict."""
    if not mine.is_file() or (rendered.is_file() and mine.read_bytes() == rendered.read_bytes()):
        return False
    if not updated.is_file():
        return True
    return bool(lines(mine) - lines(rendered) - lines(updated))


def lines(file: Path) -> Counter[bytes]:
    """How often each line occurs; nothing for a file that is not there, or for blank lines."""
    if not file.is_file():
        return Counter()
    return Counter(line.strip() for line in file.read_bytes().splitlines() if line.strip())


def news(before: dict[str, object], after: dict[str, object], folder: Path) -> str:
    """What the template's CHANGELOG.md says of the releases in between."""
    old, new = (release(str(answers["_commit"])) for answers in (before, after))
    if old == new:
        return f"The release stays {after['_commit']}; the answers change."
    source = str(after["_src_path"]).removeprefix("git+")
    for short, host in HOSTS.items():
        source = source.replace(short, host, 1) if source.startswith(short) else source
    run("git", "clone", "--quiet", "--bare", source, str(folder))
    commit = str(after["_commit"])
    if not run("git", "ls-tree", commit, "CHANGELOG.md", at=folder):
        return f"The template says nothing about {commit}."
    sections = re.split(r"(?m)^(?=## )", run("git", "show", f"{commit}:CHANGELOG.md", at=folder))
    return "".join(part for part in sections[1:] if old < release(part) <= new).rstrip()


def release(text: str) -> tuple[int, ...]:
    """The first version number in the text; empty where there is none."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text.partition("\n")[0])
    return tuple(map(int, found.groups())) if found else ()


def recorded(project: Path) -> dict[str, object]:
    """The answers that Copier wrote down, and where the template is."""
    answers: dict[str, object] = yaml.safe_load((project / ANSWERS).read_text("utf-8"))
    if "_commit" not in answers:
        sys.exit(f"{ANSWERS} names no release: the template was no Git repository.")
    return answers


def finish(done: str) -> None:
    """Lock again, check, and say how it went."""
    for command in (["uv", "lock"], ["make", "check"], ["make", "test"]):
        print(f"$ {shlex.join(command)}", flush=True)
        if subprocess.run(command, cwd=PROJECT, env=environment(), check=False).returncode:
            sys.exit(f"{done}, but `{shlex.join(command)}` failed: see above.")
    print(f"{done}: no conflicts, all checks and tests pass. Read git diff, then commit.")


def copier(*arguments: str) -> None:
    """Run Copier; where it refuses, end with its sentence."""
    run(sys.executable, "-m", "copier", *arguments)


def run(*command: str, at: Path = PROJECT) -> str:
    """What the command prints; where it fails, its last line ends this process."""
    done = subprocess.run(
        command, cwd=at, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit((done.stderr.strip() or f"{shlex.join(command)} failed.").splitlines()[-1])
    return done.stdout.strip()


def environment() -> dict[str, str]:
    """The user's own, without what `make update` and its environment of Copier alone put in."""
    added = ("MAKE", "MFLAGS", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(added)}


if __name__ == "__main__":
    main()
