"""Where a service may lie, and what may be missing: each failure is one sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest

from plinth.errors import Exit
from plinth.harness.command import git
from plinth.journal import Journal
from plinth.service import Service
from plinth.update import Wish, plan
from tests.companion.conftest import Checkout, Upstream

NEXT = {"template/README.md": "# Service\n\n1.\n\nTwo.\n\nThree.\n"}


def test_a_folder_of_a_larger_repository(upstream: Upstream, tmp_path: Path) -> None:
    """Changes elsewhere in the repository are none of its business."""
    root = tmp_path / "mono"
    copier.run_copy(str(upstream.path), root / "services/one", defaults=True, quiet=True)
    git(tmp_path, "init", "--quiet", "mono")
    Checkout(root).commit()
    (root / "elsewhere.txt").write_text("not committed\n", "utf-8")
    upstream.release("v0.2.0", NEXT)
    service = Checkout(root / "services/one")
    service.update()
    assert "1." in service.read("README.md")
    staged = git(root, "diff", "--staged", "--name-only").splitlines()
    assert staged == ["services/one/.copier-answers.yml", "services/one/README.md"]


def test_a_work_tree_and_a_shallow_clone(
    upstream: Upstream, checkout: Checkout, tmp_path: Path
) -> None:
    """Neither needs the history of the service."""
    upstream.release("v0.2.0", NEXT)
    git(checkout.path, "worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "update")
    Checkout(tmp_path / "tree").update()
    url = checkout.path.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=update", url, "shallow")
    Checkout(tmp_path / "shallow").update()
    assert "1." in Checkout(tmp_path / "shallow").read("README.md")
    assert "1." not in checkout.read("README.md")


def test_several_files_of_answers(upstream: Upstream, checkout: Checkout) -> None:
    """The one to update is named; without the usual one, those there are."""
    git(checkout.path, "mv", ".copier-answers.yml", ".copier-answers.service.yml")
    checkout.commit()
    upstream.release("v0.2.0", NEXT)
    error = checkout.update(code=Exit.FAILED)["error"]
    assert error.endswith("Choose one by --answers-file: .copier-answers.service.yml.")
    checkout.update("--answers-file", ".copier-answers.service.yml")
    assert "v0.2.0" in checkout.read(".copier-answers.service.yml")


def test_an_interrupted_update_is_finished(upstream: Upstream, checkout: Checkout) -> None:
    """A process that is killed while it writes leaves a journal; the next call writes the rest."""
    upstream.release("v0.2.0", {**NEXT, "template/new.txt": "new\n"})
    service = Service.found(checkout.path)
    found = plan(service, Wish())
    Journal.of(service, found.merge, found.before, found.after).save(service)
    (checkout.path / "README.md").write_text("half of", "utf-8")
    checkout.update("--continue")
    assert checkout.read("new.txt") == "new\n"
    assert checkout.read("README.md") == NEXT["template/README.md"]
    assert Journal.found(service) is None


def _nothing(_: Upstream, __: Checkout) -> None:
    pass


def _dirty(_: Upstream, checkout: Checkout) -> None:
    (checkout.path / "README.md").write_text("changed\n", "utf-8")


def _no_git(_: Upstream, checkout: Checkout) -> None:
    shutil.rmtree(checkout.path / ".git")


def _no_commit(_: Upstream, checkout: Checkout) -> None:
    shutil.rmtree(checkout.path / ".git")
    git(checkout.path, "init", "--quiet")


def _template_gone(upstream: Upstream, _: Checkout) -> None:
    shutil.rmtree(upstream.path)


def _tag_gone(upstream: Upstream, _: Checkout) -> None:
    git(upstream.path, "tag", "--delete", "v0.1.0")


def _no_network(_: Upstream, checkout: Checkout) -> None:
    address = "_src_path: https://nowhere.invalid/template.git"
    lines = checkout.read(".copier-answers.yml").splitlines()
    kept = [address if line.startswith("_src_path") else line for line in lines]
    checkout.write(".copier-answers.yml", "\n".join(kept) + "\n")


def _no_answers(_: Upstream, checkout: Checkout) -> None:
    git(checkout.path, "rm", "--quiet", ".copier-answers.yml")
    checkout.commit()


def _broken_answers(_: Upstream, checkout: Checkout) -> None:
    checkout.write(".copier-answers.yml", "<<<<<<< this service\n_commit: v0.1.0\n")


def _no_release(_: Upstream, checkout: Checkout) -> None:
    checkout.write(".copier-answers.yml", "cache: redis\n")


FAILURES: dict[str, tuple[Callable[[Upstream, Checkout], None], list[str], str]] = {
    "dirty": (_dirty, [], "Commit or stash your changes first:\n  M README.md"),
    "no repository": (_no_git, [], "is not in a Git repository: run git init, commit, and try"),
    "no commit": (_no_commit, [], "Nothing is committed yet: commit first, and try again."),
    "template gone": (_template_gone, [], "If it has moved, change _src_path in .copier-answers"),
    "no network": (_no_network, [], "cannot be cloned from https://nowhere.invalid/template.git"),
    "tag gone": (_tag_gone, [], "has no release v0.1.0. The newest is v0.2.0."),
    "release unknown": (_nothing, ["--to", "v9.9.9"], "has no release v9.9.9. The newest"),
    "older release": (
        _nothing,
        ["--to", "v0.0.1"],
        "v0.0.1 is older than v0.1.0: there is no way back.",
    ),
    "no answers": (_no_answers, [], "There is no .copier-answers.yml in"),
    "broken answers": (_broken_answers, [], ".copier-answers.yml"),
    "no release": (_no_release, [], ".copier-answers.yml names no release"),
    "refused answer": (_nothing, ["--data", "cache=memcached"], "cache"),
    "no answer": (_nothing, ["--data", "cache"], "--data takes NAME=ANSWER, not 'cache'."),
    "nothing to continue": (_nothing, ["--continue"], "There is no update to continue."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_sentences(name: str, upstream: Upstream, checkout: Checkout) -> None:
    """Each says what is wrong and what to do; nothing has changed."""
    upstream.release("v0.2.0", NEXT)
    git(upstream.path, "tag", "v0.0.1", "v0.1.0")
    spoil, options, sentence = FAILURES[name]
    spoil(upstream, checkout)
    before = checkout.files()
    report = checkout.update(*options, code=Exit.FAILED)
    assert sentence in report["error"]
    assert "Traceback" not in report["error"]
    assert checkout.files() == before


def test_wrong_use_is_not_taken_for_nothing_to_do(checkout: Checkout) -> None:
    """Code 2 has a meaning."""
    done = checkout.plinth("update", "--nonsense")
    assert done.returncode == Exit.FAILED
    assert "No such option" in done.stderr


def test_diff_shows_what_a_release_changes(upstream: Upstream, checkout: Checkout) -> None:
    """For the answers of the service; nothing in it changes."""
    upstream.release("v0.2.0", NEXT)
    upstream.release("v0.3.0", {"template/new.txt": "new\n"})
    checkout.write("README.md", "# Mine\n")
    done = checkout.plinth("diff")
    assert "-One.\n+1.\n" in done.stdout
    assert "diff: v0.1.0 to v0.3.0, 2 files differ" in done.stderr
    assert checkout.plinth("diff", "--summary").stdout.splitlines()[-1].startswith(" 2 files")
    assert "new.txt" not in checkout.plinth("diff", "v0.1.0", "v0.2.0").stdout
    later = checkout.plinth("diff", "v0.2.0", "--json").stdout
    assert '"files": [{"change": "A", "path": "new.txt"}]' in later
    assert not git(checkout.path, "status", "--porcelain")
