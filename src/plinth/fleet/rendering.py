"""Copier's own copy and update, for many services in a row.

Copier clones and compiles a template for each call, which takes most of the time. Here each release
is cloned and compiled once in a process; what is rendered is the same.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from copier import Settings

# Copier's functions take no template that is cloned already; their class does.
from copier._jinja_ext import SandboxedEnvironment
from copier._main import Worker, as_operation
from copier._settings import SettingsModel
from copier._subproject import Subproject
from copier._template import Template
from jinja2 import Template as Compiled

from plinth import trees
from plinth.trees import Tree

_templates: dict[tuple[str, object], Template] = {}
_environments: dict[Path, SandboxedEnvironment] = {}


def run_copy(
    src_path: str,
    dst_path: Path,
    data: Mapping[str, object] | None = None,
    *,
    settings: Settings,
    **options: Any,  # noqa: ANN401 - as Copier has it
) -> None:
    """Do as `copier.run_copy`."""
    with _worker(data, settings, src_path=src_path, dst_path=dst_path, **options) as worker:
        worker.run_copy()


def run_update(
    dst_path: Path,
    data: Mapping[str, object] | None = None,
    *,
    settings: Settings,
    **options: Any,  # noqa: ANN401 - as Copier has it
) -> None:
    """Do as `copier.run_update`."""
    with _worker(data, settings, dst_path=dst_path, **options) as worker:
        worker.run_update()


def baseline(
    src_path: str, dst_path: Path, data: Mapping[str, object], *, vcs_ref: str, answers_file: str
) -> Tree:
    """Return what a release renders again at each update: without what belongs to the project."""
    options = {"vcs_ref": vcs_ref, "answers_file": answers_file, "defaults": True, "quiet": True}
    with _worker(data, Settings(), src_path=src_path, dst_path=dst_path, **options) as worker:
        as_operation("update")(worker.run_copy)()
        return {
            path: file
            for path, file in trees.of_folder(dst_path).items()
            if path != answers_file and not worker.match_skip(Path(path))
        }


def _shared(url: str, ref: object) -> Template:
    if (url, ref) not in _templates:
        _templates[url, ref] = Template(url=url, ref=str(ref) if ref else None)
    return _templates[url, ref]


class _Project(Subproject):
    """A project whose template is a shared clone."""

    @cached_property
    def template(self) -> Template | None:
        url = self.last_answers.get("_src_path")
        return _shared(url, self.last_answers.get("_commit")) if url else None


class _Worker(Worker):
    """Copier at work, with a template that is shared."""

    @cached_property
    def subproject(self) -> Subproject:
        return _Project(
            local_abspath=self.dst_path.absolute(),
            answers_relpath=self.answers_file or Path(".copier-answers.yml"),
        )

    @cached_property
    def template(self) -> Template:
        if self.src_path:
            return _shared(self.src_path, self.resolved_vcs_ref)
        return _shared(self.subproject.last_answers["_src_path"], self.resolved_vcs_ref)

    @cached_property
    def jinja_env(self) -> SandboxedEnvironment:
        place = self.template.local_abspath
        if place not in _environments:
            _environments[place] = _compiling_once(super().jinja_env)
        return _environments[place]

    @property
    def answers_relpath(self) -> Path:
        path = str(self.answers_file or self.template.answers_relpath)
        return super().answers_relpath if "{" in path else Path(path)

    def _sync_git_index_executable_bit(self, dst_relpath: Path, src_mode: int) -> None:
        pass


def _worker(
    data: Mapping[str, object] | None,
    settings: Settings,
    **options: Any,  # noqa: ANN401 - as Copier has it
) -> _Worker:
    own = SettingsModel(defaults={**settings.defaults}, trust={*settings.trust})
    return _Worker(data={**(data or {})}, settings=own, **options)


def _compiling_once(environment: SandboxedEnvironment) -> SandboxedEnvironment:
    compile_, known = environment.from_string, dict[str, Compiled]()

    def from_string(source: Any, *_: object, **__: object) -> Compiled:  # noqa: ANN401 - as Jinja has it
        if source in known:
            environment.preprocess("")
        else:
            known[source] = compile_(source)
        return known[source]

    environment.from_string = from_string
    environment.auto_reload = False
    return environment
