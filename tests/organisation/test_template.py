"""An organisation's template: what it is assembled from, what stops it, how it is numbered."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from plinth.errors import Exit
from plinth.harness.command import git
from plinth.harness.edits import make_edits
from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.releases import CURRENT, SYNTHETIC
from plinth.harness.source import REPOSITORY
from tests.organisation.conftest import EXAMPLE, Organisation, commit, run, service, started

EDITED = ("route", "dependency", "section", "compose")
ANSWERS = ".copier-answers.yml"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the repository of a template of a few files with one release, v1.0.0."""
    path = tmp_path / "upstream"
    path.mkdir()
    git(path, "init", "--quiet")
    released(
        path,
        "v1.0.0",
        {
            "copier.yml": "_subdirectory: template\n---\n!include questions/all.yml\n---\n"
            "extensions: {type: yaml, when: false, default: '{}'}\n"
            "parts: {type: yaml, when: false, default: '[]'}\n",
            "questions/all.yml": "colour: {type: str, choices: [red, blue], default: red}\n"
            "size: {type: int, default: 3}\n"
            "kind: {type: str, choices: \"{{ ['a', 'b'] }}\", default: a}\n",
            "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n- One.\n",
            "LICENSE": "Ours.\n",
            "README.md": "Ours.\n",
            "template/one.txt": "one\n",
            "template/two.txt": "two\n",
            "tests/test_ours.py": "",
        },
    )
    return path


def released(path: Path, tag: str, files: Mapping[str, str]) -> None:
    """Commit files of a template, and tag."""
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, "utf-8")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", tag)
    git(path, "tag", tag)


def locked(organisation: Organisation, line: str) -> None:
    """Fix an answer, and commit."""
    organisation.commit({"organisation.toml": organisation.read("organisation.toml") + line + "\n"})


def test_it_has_our_files_and_its_own(small: Path, tmp_path: Path) -> None:
    """What only those need who work on ours stays out; README and LICENSE are not taken over."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    files = git(found.path, "ls-files").splitlines()
    assert "template/one.txt" in files
    assert "upstream/LICENSE" in files
    assert not [name for name in files if name.startswith("tests/") or name == "LICENSE"]
    assert found.read("README.md").startswith("# The template for services of Acme\n")
    assert not git(found.path, "status", "--porcelain")


def test_it_is_numbered_and_has_our_tags(small: Path, tmp_path: Path) -> None:
    """Own releases count up on each of ours, and none of ours is newer than the newest own one."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    released(small, "v1.1.0", {"template/three.txt": "three\n"})
    assert found.plinth("upgrade", "--to", "current")["release"] == "v1.0.0.post1"
    assert git(found.path, "tag").split() == ["v1.0.0", "v1.0.0.post1"]
    nothing = found.plinth("upgrade", "--to", "current", code=Exit.NOTHING_TO_DO)
    assert nothing["error"] == "There is nothing to release."
    found.news("Something.")
    assert found.plinth("upgrade", "--to", "current")["release"] == "v1.0.0.post2"
    report = found.plinth("upgrade")
    assert (report["before"], report["upstream"]) == ("v1.0.0", "v1.1.0")
    assert report["release"] == "v1.1.0.post1"
    assert found.read("template/three.txt") == "three\n"
    assert git(found.path, "tag").split()[-2:] == ["v1.1.0", "v1.1.0.post1"]
    back = found.plinth("upgrade", "--to", "v1.0.0", code=Exit.FAILED)
    assert back["error"] == "v1.0.0 is older than v1.1.0: there is no way back."


def test_the_changelog_has_both(small: Path, tmp_path: Path) -> None:
    """Own entries stand above the release that they build on, the newest first."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    found.plinth("upgrade", "--to", "current")
    text = "# Changelog\n\n## [1.1.0] - 2026-02-02\n\n- Two.\n\n## [1.0.0] - 2026-01-01\n\n- One.\n"
    released(small, "v1.1.0", {"CHANGELOG.md": text})
    found.plinth("upgrade")
    lines = found.read("CHANGELOG.md").splitlines()
    headings = [line.partition("]")[0][4:] for line in lines if line.startswith("## ")]
    assert headings == ["1.1.0.post1", "1.1.0", "1.0.0.post1", "1.0.0"]
    assert "- What v1.1.0 brings." in lines
    assert "- The template of Acme." in lines


def test_own_changes_need_an_entry(small: Path, tmp_path: Path) -> None:
    """Services are told what they receive."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    found.plinth("upgrade", "--to", "current")
    found.commit({"template/own.txt": "own\n"})
    error = found.plinth("upgrade", "--to", "current", code=Exit.FAILED)["error"]
    assert error.startswith("organisation/CHANGELOG.md has nothing under [Unreleased]")


@pytest.mark.parametrize("deleted", [False, True])
def test_an_own_file_in_the_place_of_a_changed_one_stops_it(
    small: Path, tmp_path: Path, *, deleted: bool
) -> None:
    """It is named with the command that shows the change; said to be adapted, it stays."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    if deleted:
        (found.path / "template/one.txt").unlink()
    found.commit({} if deleted else {"template/one.txt": "ours\n"})
    found.commit({"template/two.txt": "ours\n"})
    released(small, "v1.1.0", {"template/one.txt": "one\nmore\n"})
    before = git(found.path, "rev-parse", "HEAD")
    error = found.plinth("upgrade", code=Exit.CONFLICTS)["error"]
    assert "  template/one.txt\n" in error
    assert "template/two.txt" not in error
    (shown,) = [line.strip() for line in error.splitlines() if "git diff" in line]
    assert "+more" in git(found.path, *shown.split()[1:])
    assert git(found.path, "rev-parse", "HEAD") == before
    assert error.endswith("with: --adapted template/one.txt")
    found.plinth("upgrade", "--adapted", "template/one.txt")
    assert (found.path / "template/one.txt").exists() is not deleted
    assert found.read("template/two.txt") == "ours\n"


def test_an_own_file_where_a_new_one_comes_stops_it(small: Path, tmp_path: Path) -> None:
    """Whose file it is has to be decided by a person."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    found.commit({"template/three.txt": "ours\n"})
    released(small, "v1.1.0", {"template/three.txt": "three\n"})
    assert "  template/three.txt\n" in found.plinth("upgrade", code=Exit.CONFLICTS)["error"]


def test_own_questions_come_before_what_is_computed(small: Path, tmp_path: Path) -> None:
    """Else an own part would be copied, and not installed; ours stay in their order."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    found.commit({"organisation/questions.yml": "audit: true\nsize: {type: int, default: 4}\n"})
    found.plinth("upgrade", "--to", "current")
    order = found.read("copier.yml").partition("last.\n")[2].partition("---")[0].splitlines()
    names = ["colour", "size", "kind", "audit", "extensions", "parts"]
    assert order == [f"{name}: {{}}" for name in names]
    answers = yaml.safe_load(copied(found, tmp_path / "service", "_copier_answers | to_json"))
    assert answers["size"] == 4


def copied(organisation: Organisation, path: Path, expression: str) -> str:
    """Return what an expression is in a service."""
    organisation.commit({"template/shown.txt.jinja": f"{{{{ {expression} }}}}"})
    return (service(organisation.path, path, "HEAD") / "shown.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('shape = "round"', "organisation.toml fixes shape, which is no question."),
        ('colour = "green"', "organisation.toml fixes colour=green: the answers are red, blue."),
        ('kind = "a"', "kind cannot be fixed, because its choices are computed"),
        ("colour =", "organisation.toml cannot be read"),
    ],
)
def test_a_lock_that_cannot_be(small: Path, tmp_path: Path, line: str, sentence: str) -> None:
    """It is one sentence, and nothing is released."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    locked(found, line)
    assert found.plinth("upgrade", "--to", "current", code=Exit.FAILED)["error"].startswith(
        sentence
    )
    assert not git(found.path, "tag")


def _not_empty(_: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "file").touch()


def _no_releases(upstream: Path, _: Path) -> None:
    git(upstream, "tag", "--delete", "v1.0.0")


def _gone(upstream: Path, _: Path) -> None:
    upstream.rename(upstream.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("happens", "options", "sentence"),
    [
        (_not_empty, (), "is not an empty folder."),
        (_no_releases, (), "has no releases: there are no tags with versions."),
        (_gone, (), "Releases cannot be fetched from"),
        (None, ("--release", "v9.0.0"), "to build on has no release v9.0.0. The newest is v1.0.0."),
        (None, ("--name", '"Acme"'), "is not a name"),
    ],
)
def test_init_that_cannot_be(
    small: Path, tmp_path: Path, happens: object, options: tuple[str, ...], sentence: str
) -> None:
    """It is one sentence, and the folder is as before."""
    folder = tmp_path / "acme"
    if callable(happens):
        happens(small, folder)
    given = ("--name", "Acme", "--upstream", str(small), *options)
    done = run("organisation", "init", str(folder), *given, at=tmp_path)
    assert done.returncode == Exit.FAILED
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / ".git").exists()


def test_a_tag_that_copier_would_take_for_the_newest(small: Path, tmp_path: Path) -> None:
    """As after `git fetch --tags` from ours: services would leave the organisation's template."""
    found = started(small, tmp_path / "acme", "v1.0.0")
    git(found.path, "tag", "v1.1.0")
    error = found.plinth("upgrade", "--to", "current", code=Exit.FAILED)["error"]
    assert error.endswith("Delete it: git tag --delete v1.1.0")


def test_the_example_differs_from_ours_where_it_has_to() -> None:
    """A change of our Dockerfile belongs into the example's, as into that of an organisation."""
    ours = (REPOSITORY / "template" / "Dockerfile.jinja").read_text("utf-8")
    assert (EXAMPLE / "template" / "Dockerfile.jinja").read_text("utf-8") == of_acme(ours)


def of_acme(dockerfile: str) -> str:
    """Return a Dockerfile of ours with the images of Acme's registry."""
    text = dockerfile.replace("FROM python:", "FROM registry.acme.example/python:")
    return text.replace("ghcr.io/astral-sh/uv", "registry.acme.example/uv")


def test_an_own_part_leaves_no_trace_when_it_is_off(acme: Organisation, tmp_path: Path) -> None:
    """The example's audit log, and all that it brings when it is on."""
    on = GeneratedProject(service(acme.path, tmp_path / "on"), {}).tree()
    off = GeneratedProject(service(acme.path, tmp_path / "off", audit="false"), {}).tree()
    named = {path for path, text in on.items() if "audit" in f"{path}\n{text}".lower()}
    for path in (
        ".env.example",
        ".github/workflows/ci.yaml",
        "AGENTS.md",
        "README.md",
        "pyproject.toml",
        "src/app/audit/middleware.py",
        "src/app/parts.py",
        "tests/audit/test_audit.py",
    ):
        assert path in named
    left = [path for path, text in off.items() if "app.audit" in text or "APP_AUDIT" in text]
    assert left == []
    assert not [path for path in off if "audit" in path]
    assert "orjson" not in off["pyproject.toml"]
    assert "FROM registry.acme.example/python:3.14-slim-trixie" in off["Dockerfile"]
    assert 'url = "https://pypi.org/simple"' in off["pyproject.toml"]
    assert "registry.acme.example" in off[".github/workflows/ci.yaml"]


def test_a_service_of_ours_moves_over_with_its_edits_and_takes_the_next_release(
    releases: Path, organisation: Organisation, tmp_path: Path
) -> None:
    """Edits are merged, not laid over; then one command here and one there bring a release."""
    dockerfile = "template/Dockerfile.jinja"
    path = service(releases, tmp_path / "service", CURRENT)
    made = make_edits(path, EDITED)
    record = (path / ANSWERS).read_text("utf-8")
    (path / ANSWERS).write_text(record.replace(str(releases), str(organisation.path)), "utf-8")
    commit(path)
    fixed = ("--data", "license=proprietary", "--data", "author_name=Acme Ltd")
    done = run("update", "--no-checks", *fixed, at=path)
    assert done.returncode == 0, done.stderr
    assert f"{CURRENT}.post1" in (path / ANSWERS).read_text("utf-8")
    assert (path / "src/app/audit/middleware.py").exists()
    assert [edit.path for edit in made if not edit.is_in(path)] == []
    commit(path)

    # The release changes our Dockerfile, and Acme has its own: it brings the change in.
    assert dockerfile in organisation.plinth("upgrade", "--to", SYNTHETIC, code=3)["error"]
    ours = git(organisation.path, "show", f"refs/upstream/{SYNTHETIC}:{dockerfile}")
    organisation.commit({dockerfile: f"{of_acme(ours)}\n"})
    report = organisation.plinth("upgrade", "--to", SYNTHETIC, "--adapted", dockerfile)
    assert report["release"] == f"{SYNTHETIC}.post1"
    done = run("update", at=path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert "no conflicts, all checks and tests pass" in done.stderr
    assert "app.state.synthetic = True" in (path / "src/app/main.py").read_text("utf-8")
    assert [edit.path for edit in made if not edit.is_in(path)] == []
    assert (path / "src/app/audit/middleware.py").exists()


def test_the_harness_checks_the_example(organisation: Organisation) -> None:
    """All that it can render; what is wrong with an own part is found as in one of ours."""
    options = ("check", "--no-programs", "--sample", "1", "--no-updates")
    assert organisation.plinth(*options)["problems"] == []
    name = "template/src/app/audit/middleware.py"
    broken = organisation.read(name).replace("import orjson\n", "import orjson\nimport os\n")
    organisation.news("A mistake.")
    organisation.commit({name: broken})
    problems = organisation.plinth(*options, code=Exit.CHECKS_FAILED)["problems"]
    assert any("middleware.py" in problem for problem in problems)


def test_the_harness_says_what_it_lacks(organisation: Organisation) -> None:
    """A checkout without the extra can release, and cannot check."""
    code = (
        "import sys; sys.modules['covertable'] = None; "
        "sys.argv = ['plinth', 'organisation', 'check']; "
        "from plinth.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=organisation.path,
        env=clean_environment(COLUMNS="200"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == Exit.FAILED
    assert done.stderr.startswith("covertable is not installed: ")
