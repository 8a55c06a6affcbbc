"""A template: a clone of its repository, and what it renders for a service's answers."""

import re
import sys
import tomllib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import copier
import yaml
from copier.errors import CopierError

from plinth import git, trees
from plinth.errors import StoppedError
from plinth.service import Service
from plinth.trees import File, Tree

SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
# Copier's word for the release that is recorded.
RECORDED = copier.VcsRef.CURRENT.value
# Of a repository in which Copier works: nothing of the user's own settings may act there.
QUIET = {
    "user.name": "plinth",
    "user.email": "plinth@localhost",
    "commit.gpgsign": "false",
    "core.autocrlf": "false",
    "core.hooksPath": "no-hooks",
}


def repository_url(address: str) -> str:
    """Return what Git clones for an address as Copier records it."""
    address = address.removeprefix("git+")
    for short, host in SHORT.items():
        if address.startswith(short):
            return f"{host}{address.removeprefix(short).removesuffix('.git')}.git"
    return str(Path(address).expanduser()) if address.startswith("~") else address


def location(service: Service) -> str:
    """Return what Git clones for a service's template; a path is absolute."""
    url = repository_url(service.address)
    return url if "://" in url or "@" in url else str((service.folder / url).resolve())


def version(name: str) -> tuple[int, ...]:
    """Return the numbers of a release, to compare; empty where the name has none.

    `v0.3.0.post1` is an organisation's first release on top of 0.3.0.
    """
    found = re.search(r"(\d+)\.(\d+)\.(\d+)(?:\.post(\d+))?", name)
    return tuple(int(number or 0) for number in found.groups()) if found else ()


def is_between(before: str, release: str, after: str) -> bool:
    """Whether a release comes with an update from one release to another."""
    return version(before) < version(release) <= version(after)


@contextmanager
def refusals() -> Generator[None]:
    """Turn a refusal of Copier into StoppedError with its sentence."""
    try:
        yield
    except (CopierError, ValueError) as error:
        raise StoppedError(str(error).strip().splitlines()[-1]) from error


def dump(answers: Mapping[str, object]) -> str:
    """Return answers as Copier writes them."""
    return yaml.safe_dump(dict(answers), allow_unicode=True, width=sys.maxsize)  # pyright: ignore[reportUnknownMemberType] - types-pyyaml does not know all types


class Engine(Protocol):
    """What copies and updates: Copier, or what does the same for many services."""

    @property
    def run_copy(self) -> Callable[..., object]:
        """Copy a template."""
        ...

    @property
    def run_update(self) -> Callable[..., object]:
        """Update what was copied."""
        ...


@dataclass(frozen=True)
class Render:
    """What a release renders for a service."""

    files: Tree
    """Without the file of answers."""
    answers: Mapping[str, object]
    answers_file: File

    @property
    def release(self) -> str:
        """Its release, as it is recorded."""
        return str(self.answers["_commit"])


@dataclass(frozen=True)
class Template:
    """A bare clone of a template's repository."""

    repository: Path
    address: str
    engine: Engine = copier

    @classmethod
    def cloned(cls, service: Service, into: Path) -> "Template":
        """Clone the template of a service; the folder's name ends in `.git`.

        Raises StoppedError where it is not there: no network, moved, or no longer readable.
        """
        address = service.address
        try:
            git.run(into.parent, "clone", "--quiet", "--bare", location(service), str(into))
        except StoppedError as error:
            raise StoppedError(
                f"The template cannot be cloned from {address}. If it has moved, change _src_path "
                f"in {service.answers_file} and commit. {error}"
            ) from None
        return cls(into, address)

    def require(self, name: str) -> None:
        """Raise StoppedError where there is no such release, tag, branch or commit."""
        try:
            git.run(self.repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except StoppedError:
            tags = git.text(self.repository, "tag", "--sort=-v:refname").split()
            known = f" The newest is {tags[0]}." if tags else ""
            raise StoppedError(f"{self.address} has no release {name}.{known}") from None

    def read(self, release: str, path: str) -> str:
        """Return a file of a release; empty where it has none."""
        try:
            return git.run(self.repository, "show", f"{release}:{path}").decode("utf-8")
        except StoppedError:
            return ""

    def changes(self, before: str, after: str) -> str:
        """Return what CHANGELOG.md says of the releases after one, up to another."""
        sections = re.split(r"(?m)^(?=## )", self.read(after, "CHANGELOG.md"))[1:]
        wanted = (s for s in sections if is_between(before, s.partition("\n")[0], after))
        return "".join(wanted).rstrip()

    def entries(
        self, path: str, name: str, before: str, after: str
    ) -> Sequence[Mapping[str, object]]:
        """Return the tables called `name` of a TOML file that come with the releases between.

        Each says by `version` with which release it comes.
        """
        content = tomllib.loads(self.read(after, path))
        found = cast("Sequence[Mapping[str, object]]", content.get(name, []))
        return [entry for entry in found if is_between(before, str(entry["version"]), after)]

    def render(
        self,
        service: Service,
        into: Path,
        *,
        start: str = "",
        to: str = "",
        data: Mapping[str, str] | None = None,
    ) -> tuple[Render, Render]:
        """Render two releases for the answers of a service: the last two commits of `into`.

        Copier itself updates a service in which nothing was edited, so that its rules decide about
        answers, and about files that are left out of updates. `start` is the recorded release, `to`
        the newest, unless they are given. Raises StoppedError with Copier's sentence where it
        refuses.
        """
        for name in {start or service.release, to or start or service.release} - {RECORDED}:
            self.require(name)
        name = service.answers_file
        given = {key: answer for key, answer in service.answers.items() if key[:1] != "_"}
        settings = copier.Settings()  # the user's own would switch parts on
        with refusals():
            self.engine.run_copy(
                str(self.repository),
                into,
                given,
                answers_file=name,
                vcs_ref=start or service.release,
                settings=settings,
                defaults=True,
                quiet=True,
            )
            if not start:
                # As it is recorded here, and with an address that needs no network.
                recorded = {**service.answers, "_src_path": str(self.repository)}
                (into / name).write_text(dump(recorded), "utf-8")
            git.run(into, "init", "--quiet")
            for key, value in QUIET.items():
                git.run(into, "config", key, value)
            original = self._commit(into, service)
            self.engine.run_update(
                into,
                dict(data or {}),
                answers_file=name,
                vcs_ref=copier.VcsRef.CURRENT if to == RECORDED else to or None,
                settings=settings,
                defaults=True,
                overwrite=True,
                quiet=True,
            )
        return original, self._commit(into, service)

    def rendered(self, service: Service, into: Path, data: Mapping[str, object]) -> Tree:
        """Render the service's own release for its answers, some of them changed.

        Raises StoppedError as `render` does.
        """
        self.require(service.release)
        given = {key: answer for key, answer in service.answers.items() if key[:1] != "_"}
        try:
            copier.run_copy(
                str(self.repository),
                into,
                {**given, **data},
                vcs_ref=service.release,
                settings=copier.Settings(),
                defaults=True,
                quiet=True,
            )
        except (CopierError, ValueError) as error:
            raise StoppedError(str(error).strip().splitlines()[-1]) from error
        files = (path for path in sorted(into.rglob("*")) if path.is_file())
        return {path.relative_to(into).as_posix(): File(path.read_bytes()) for path in files}

    def _commit(self, folder: Path, service: Service) -> Render:
        git.run(folder, "add", "--all", "--force")
        git.run(folder, "commit", "--quiet", "--allow-empty", "--message", "Rendered")
        files = trees.read(folder, "HEAD")
        file = files.pop(service.answers_file)
        here, there = (dump({"_src_path": a}) for a in (str(self.repository), self.address))
        file = replace(file, content=file.content.replace(here.encode(), there.encode()))
        answers = {**yaml.safe_load(file.text)}
        return Render(files, answers, file)
