"""An audit of many services: cheap questions first, then what takes renders."""

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from plinth import git
from plinth.errors import StoppedError
from plinth.fleet import discovery
from plinth.fleet.addresses import normal
from plinth.fleet.comparing import Compared, Task, compare
from plinth.fleet.processes import each
from plinth.fleet.quiet import quietly
from plinth.fleet.rows import Row
from plinth.fleet.rules import broken_pins, findings
from plinth.fleet.upstream import Upstream
from plinth.journal import NAME as JOURNAL
from plinth.service import Service
from plinth.template import location

MARKERS = ("-e", "^<<<<<<< ", "-e", "^>>>>>>> ")
Step = Callable[[str, int, int], None]
"""Is told what is done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Wanted:
    """What an audit looks at."""

    pins: dict[str, object] = field(default_factory=dict[str, object])
    to: str = ""
    max_behind: int = 0
    drift: bool = False
    rehearse: bool = False
    jobs: int = 1


@dataclass
class Audit:
    """What was found."""

    rows: list[Row]
    passed: int = 0
    """Repositories in a folder that hold no service."""


@dataclass
class Candidate:
    """A service that could be read."""

    row: Row
    service: Service
    url: str = ""
    """What Git clones for its template."""
    upstream: Upstream | None = None
    """Its template, where that could be fetched."""


def audit(arguments: Sequence[str], wanted: Wanted, step: Step) -> Audit:
    """Look at all services that are named. Raises StoppedError where a list cannot be read."""
    with quietly(), tempfile.TemporaryDirectory(prefix="plinth-") as name:
        scratch = Path(name)
        found, candidates = survey(arguments, wanted, scratch, step)
        if wanted.drift or wanted.rehearse:
            _compare(candidates, wanted, scratch, step)
        for row in found.rows:
            row.findings = [*findings(row, wanted.max_behind)]
        return found


def survey(
    arguments: Sequence[str], wanted: Wanted, scratch: Path, step: Step
) -> tuple[Audit, list[Candidate]]:
    """Read the services that are named, and how far each is behind its template.

    Clones are made in `scratch`. Raises StoppedError where a list cannot be read, or where no
    template has the wanted release.
    """
    names: dict[str, str] = {}
    for name in discovery.named(arguments):
        names.setdefault(normal(name), name)
    found, candidates = _collected([*names.values()], wanted, scratch, step)
    upstreams = _fetched(candidates, scratch, wanted.jobs)
    for candidate in candidates:
        upstream = upstreams[candidate.row.template]
        if isinstance(upstream, StoppedError):
            candidate.row.error = str(upstream)
        else:
            candidate.upstream = upstream
            _measure(candidate.row, upstream, wanted.to)
    known = [one for one in upstreams.values() if isinstance(one, Upstream)]
    if wanted.to and known and not any(upstream.has(wanted.to) for upstream in known):
        raise StoppedError(f"{known[0].name} has no release {wanted.to}.")
    found.rows.sort(key=lambda row: (row.path, row.answers_file))
    candidates.sort(key=lambda candidate: candidate.row.path)
    return found, candidates


def _collected(
    names: Sequence[str], wanted: Wanted, scratch: Path, step: Step
) -> tuple[Audit, list[Candidate]]:
    """Read all services, some at a time; most of it is waiting for Git."""
    found, candidates = Audit([]), list[Candidate]()
    with ThreadPoolExecutor(wanted.jobs * 2) as pool:
        repositories: dict[Path, discovery.Repository] = {}
        named = pool.map(partial(_repositories, scratch=scratch), names)
        for number, listed in enumerate(named, 1):
            step("finding services", number, len(names))
            if isinstance(listed, Row):
                found.rows.append(listed)
            else:
                repositories |= {repository.folder: repository for repository in listed}
        looked = pool.map(partial(_services, wanted=wanted), repositories.values())
        for number, services in enumerate(looked, 1):
            step("reading services", number, len(repositories))
            found.passed += not services
            found.rows += [one.row if isinstance(one, Candidate) else one for one in services]
            candidates += [one for one in services if isinstance(one, Candidate)]
    return found, candidates


def _repositories(name: str, scratch: Path) -> list[discovery.Repository] | Row:
    try:
        return [*discovery.repositories(name, scratch)]
    except StoppedError as error:
        shown = normal(name) if discovery.is_remote(name) else name
        return Row(Path(shown).name, shown, error=str(error))


def _services(repository: discovery.Repository, wanted: Wanted) -> list[Candidate | Row]:
    name = repository.folder.name
    try:
        places = discovery.services(repository)
    except StoppedError as error:
        return [Row(name, repository.shown, error=str(error))]
    if not places and repository.named:
        sentence = f"There is no file of answers in {repository.shown}."
        return [Row(name, repository.shown, error=sentence)]
    return [_read(place, wanted) for place in places]


def _read(place: discovery.Place, wanted: Wanted) -> Candidate | Row:
    row = Row(place.folder.name, place.shown, place.answers_file)
    try:
        service = Service.found(place.folder, place.answers_file)
        service.require_repository()
        row.service = str(service.answers.get("project_slug") or place.folder.name)
        url = location(service)
        row.template, row.version = normal(url), service.release
        row.pins = broken_pins({**service.answers}, wanted.pins, row.template)
        row.dirty = not service.is_clean()
        row.unfinished = service.git_path(JOURNAL).is_file()
        row.markers = _marked(service)
    except StoppedError as error:
        row.error = str(error)
        return row
    return Candidate(row, service, url)


def _marked(service: Service) -> list[str]:
    """Return the committed files in which there are both ends of a conflict."""
    try:
        grep = ("grep", "-l", "-z", "-I", "--all-match", *MARKERS, "HEAD", "--", ".")
        return sorted(
            name.partition(":")[2]
            for name in git.run(service.folder, *grep).decode("utf-8", "replace").split("\0")
            if name
        )
    except StoppedError:
        return []  # how Git says that there are none


def _fetched(
    candidates: Iterable[Candidate], scratch: Path, jobs: int
) -> dict[str, Upstream | StoppedError]:
    """Clone each template once."""
    urls: dict[str, dict[str, None]] = defaultdict(dict)
    for candidate in candidates:
        urls[candidate.row.template][candidate.url] = None

    def fetch(numbered: tuple[int, str]) -> Upstream | StoppedError:
        number, name = numbered
        try:
            return Upstream.fetched(name, [*urls[name]], scratch / f"template-{number}.git")
        except StoppedError as error:
            return error

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(urls, pool.map(fetch, enumerate(urls)), strict=True))


def _measure(row: Row, upstream: Upstream, to: str) -> None:
    row.target = to or upstream.newest
    missing = [name for name in (row.version, row.target) if name and not upstream.has(name)]
    if missing:
        newest = f" The newest is {upstream.newest}." if upstream.newest else ""
        row.unknown = f"{row.template} has no release {missing[0]}.{newest}"
    elif row.target:
        row.behind, row.days = upstream.behind(row.version, row.target)


def _compare(candidates: Sequence[Candidate], wanted: Wanted, scratch: Path, step: Step) -> None:
    tasks = [*_tasks(candidates, wanted)]
    total, done = sum(len(task.services) for task in tasks), 0
    for compared in each(compare, tasks, wanted.jobs, scratch):
        for number, one in compared:
            note(candidates[number].row, one)
            done += 1
        step("comparing", done, total)


def _tasks(candidates: Sequence[Candidate], wanted: Wanted) -> Iterable[Task]:
    tasks: dict[str, Task] = {}
    for number, candidate in enumerate(candidates):
        row, service, upstream = candidate.row, candidate.service, candidate.upstream
        target = row.target if wanted.rehearse and row.behind else ""
        if upstream and upstream.has(row.version) and (wanted.drift or target):
            key = [row.template, target, service.answers_file, {**service.answers}]
            text = json.dumps(key, sort_keys=True, default=str)
            name = hashlib.sha256(text.encode()).hexdigest()
            task = tasks.setdefault(name, Task([], upstream.repository, target, wanted.drift))
            task.services.append((number, Service(service.folder, service.answers_file)))
    return tasks.values()


def note(row: Row, compared: Compared) -> None:
    """Note what was found out about a service."""
    row.drift, row.next = compared.drift, compared.next
    row.error = compared.error or row.error
