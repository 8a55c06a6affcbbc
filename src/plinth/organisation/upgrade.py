"""Start an organisation's template, and release it."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from plinth import git
from plinth.changelog import Changelog, require_news
from plinth.errors import StoppedError
from plinth.organisation.assembly import (
    NONE,
    OWN_CHANGELOG,
    Release,
    assemble,
    generated,
    own_files,
)
from plinth.organisation.questions import OWN as OWN_QUESTIONS
from plinth.organisation.repository import (
    FILE,
    UPSTREAM,
    Definition,
    Repository,
    require_name,
)
from plinth.template import version
from plinth.trees import File, Tree

CURRENT = "current"

DEFINITION = """\
# What `plinth organisation` knows of this template. `upgrade` writes the release.
name = "{name}"
upstream = "{upstream}"
release = "{release}"

# Answers that are fixed for every service: question = answer.
[locks]
"""
QUESTIONS = """\
# The organisation's own questions, and those of the release that it replaces, in Copier's form.
# Answers that are only to be fixed stand in organisation.toml.
"""
NEWS = """\
# Changelog

What the organisation's own releases bring to a service; those of the template beneath are added.

## [Unreleased]

### Added

- The template of {name}.
"""
README = """\
# The template for services of {name}

It is assembled by `plinth organisation` from a release of {upstream} and the files of {name}:

| place | what it holds |
|---|---|
| `organisation.toml` | the release, and the answers that are fixed |
| `organisation/questions.yml` | own questions, and questions that are replaced |
| `organisation/extensions`, `organisation/PART/` | own parts, as in the template's `extensions/` |
| `template/` | what services receive; own files lie between those of the release |
| `organisation/CHANGELOG.md` | what own releases bring to a service |

Edit and commit, then

- `uv run plinth organisation check` renders every combination of answers, runs services' tests,
  and updates a service that was edited;
- `uv run plinth organisation upgrade` takes the newest release of the template beneath, commits,
  and tags; with `--to current` it releases own changes only;
- `git push && git push --tags` publishes it.
"""


@dataclass(frozen=True)
class Upgraded:
    """What was released, and upon what."""

    before: str
    after: str
    release: str
    """The organisation's own version; the tag of the commit."""
    own: int
    """How many files are the organisation's."""


def start(folder: Path, name: str, upstream: str, release: str = "") -> Repository:
    """Make a repository for an organisation's template, upon a release of ours.

    The newest release unless one is named. Raises StoppedError where the folder is not empty, or
    there is no such release.
    """
    require_name(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoppedError(f"{folder} is not an empty folder.")
    address = str(Path(upstream).resolve()) if Path(upstream).is_dir() else upstream
    folder.mkdir(parents=True, exist_ok=True)
    git.run(folder, "init", "--quiet", "--initial-branch=main")
    repository = Repository(folder.resolve())
    try:
        repository.fetch(address)
        after = _release(repository, release, address)
    except StoppedError:
        shutil.rmtree(folder / ".git")
        raise
    said = {"name": name, "upstream": address, "release": after.name}
    own: Tree = {
        path: File(text.format(**said).encode())
        for path, text in {
            FILE: DEFINITION,
            OWN_QUESTIONS: QUESTIONS,
            "organisation/extensions": "",
            OWN_CHANGELOG: NEWS,
            "README.md": README,
        }.items()
    }
    _write(repository.folder, {}, assemble(own, NONE, after))
    _commit(repository, after.name, f"Start from {after.name}", first=True)
    return repository


def upgrade(repository: Repository, to: str = "", adapted: Collection[str] = ()) -> Upgraded | None:
    """Bring a release of ours into the template, commit, and tag the organisation's next release.

    The newest release unless one is named; `current` is the one that the template is built on.
    Returns None where there is nothing to release. Raises StoppedError where an own file takes the
    place of one that the release changed.
    """
    repository.require_clean()
    definition = repository.definition
    if to != CURRENT or not repository.has(definition.release):
        repository.fetch(definition.upstream)
    before = _read(repository, definition.release)
    name = definition.release if to == CURRENT else to
    after = _release(repository, name, definition.upstream)
    if version(after.name) < version(before.name):
        raise StoppedError(f"{after.name} is older than {before.name}: there is no way back.")
    here = repository.tree("HEAD")
    files = assemble(here, before, after, adapted=adapted)
    own = repository.own_releases()
    if files == here and own and repository.tree(own[-1]) == here:
        return None
    release = repository.next_release(after.name)
    _require_newest(repository, after.name)
    news = Changelog.read(files[OWN_CHANGELOG].text if OWN_CHANGELOG in files else "# Changelog\n")
    if before.name == after.name:
        require_news(news, OWN_CHANGELOG)
    elif not news.unreleased:
        news = replace(news, unreleased=f"### Changed\n\n- What {after.name} brings.\n")
    today = datetime.now(tz=UTC).date().isoformat()
    files[OWN_CHANGELOG] = File(str(news.released(release.removeprefix("v"), today)).encode())
    files |= generated(files, after, Definition.read(files[FILE].text))
    _write(repository.folder, here, files)
    _commit(repository, after.name, f"Release {release}")
    _carry_tags(repository, after.name)
    repository.git("tag", "--annotate", "--message", f"Release {release}", release)
    return Upgraded(before.name, after.name, release, len(own_files(files, after)))


def _release(repository: Repository, name: str, address: str) -> Release:
    """Return a release of ours, the newest unless one is named."""
    known = repository.upstream_releases()
    if not known:
        raise StoppedError(f"{address} has no releases: there are no tags with versions.")
    return _read(repository, name or known[-1])


def _read(repository: Repository, name: str) -> Release:
    return Release(name, repository.tree(repository.reference(name)))


def _require_newest(repository: Repository, name: str) -> None:
    """Raise StoppedError where Copier would take another tag for the newest release."""
    newer = [tag for tag in repository.git("tag").split() if version(tag)[:3] > version(name)[:3]]
    if newer:
        raise StoppedError(
            f"Services would take {newer[0]} for the newest release: the tag belongs to a release "
            f"that this template is not built on. Delete it: git tag --delete {' '.join(newer)}"
        )


def _carry_tags(repository: Repository, name: str) -> None:
    """Tag the releases of ours up to one, so that services that were made from them move over."""
    for release in repository.upstream_releases():
        if version(release) <= version(name):
            repository.git("update-ref", f"refs/tags/{release}", f"{UPSTREAM}{release}")


def _write(folder: Path, before: Tree, after: Tree) -> None:
    """Make files of a folder what they are to be, and stage them."""
    changed = {path: file for path, file in after.items() if before.get(path) != file}
    gone = before.keys() - after.keys()
    for path, file in changed.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
        (folder / path).chmod(0o755 if file.mode == "100755" else 0o644)
    for path in gone:
        (folder / path).unlink(missing_ok=True)
    paths = "".join(f"{path}\0" for path in sorted({*changed, *gone})).encode()
    options = ("--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul")
    git.run(folder, "add", *options, given=paths)


def _commit(repository: Repository, name: str, message: str, *, first: bool = False) -> None:
    """Commit what is staged, as a successor of a release of ours too."""
    parents = [] if first else ["-p", repository.git("rev-parse", "HEAD")]
    upstream = repository.git("rev-parse", f"{repository.reference(name)}^{{commit}}")
    if first or upstream not in repository.git("rev-list", "HEAD").split():
        parents += ["-p", upstream]
    tree = repository.git("write-tree")
    commit = repository.git("commit-tree", tree, *parents, "-m", message)
    repository.git("update-ref", "HEAD", commit)
