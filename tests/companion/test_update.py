"""`plinth update`: nothing is lost, nothing is broken, and it says what it did."""

from pathlib import Path

import pytest

from plinth.errors import Exit
from plinth.harness.command import git
from tests.companion.conftest import FIRST, Checkout, Upstream, copied, pretend

PAGES, README, CACHE = "src/app/pages.py", "README.md", "src/app/cache.py"


def changed(name: str, old: str, new: str) -> dict[str, str | None]:
    """Return a change of a file of the first release."""
    text = FIRST[f"template/{name}"]
    assert text
    assert old in text
    return {f"template/{name}": text.replace(old, new)}


def test_both_sides_are_merged(upstream: Upstream, checkout: Checkout) -> None:
    """A release's change and an edit of the same file are both there, staged, not committed."""
    checkout.replace(README, "Three.", "Three, and more.")
    upstream.release("v0.2.0", changed(README, "One.", "One, and more."))
    report = checkout.update()
    assert (report["status"], report["from"], report["to"]) == ("updated", "v0.1.0", "v0.2.0")
    assert checkout.read(README) == "# Service\n\nOne, and more.\n\nTwo.\n\nThree, and more.\n"
    assert git(checkout.path, "diff", "--staged", "--name-only").splitlines() == sorted(
        [".copier-answers.yml", README]
    )
    checkout.commit()
    assert checkout.update(code=Exit.NOTHING_TO_DO)["status"] == "nothing_to_do"


def test_the_recorded_address_stays(upstream: Upstream, checkout: Checkout) -> None:
    """The file of answers differs in the release alone."""
    before = checkout.read(".copier-answers.yml")
    upstream.release("v0.2.0", changed(README, "One.", "1."))
    checkout.update()
    assert checkout.read(".copier-answers.yml") == before.replace("v0.1.0", "v0.2.0")


def test_conflicts_are_marked_and_continued(upstream: Upstream, checkout: Checkout) -> None:
    """They stand in the file as Git's own do; the way on and the way back are said."""
    checkout.replace(README, "Two.", "Two, mine.")
    before = checkout.files()
    upstream.release("v0.2.0", changed(README, "Two.", "Two, theirs."))
    report = checkout.update(code=Exit.CONFLICTS)
    assert report["conflicts"] == [README]
    assert git(checkout.path, "diff", "--name-only", "--diff-filter=U") == README
    assert "<<<<<<< this service\nTwo, mine.\n" in checkout.read(README)
    assert checkout.update("--continue", code=Exit.CONFLICTS)["status"] == "conflicts"
    back = report["message"].partition("The way back: ")[2].split()
    git(checkout.path, *back[1:])
    assert checkout.files() == before
    checkout.update(code=Exit.CONFLICTS)
    (checkout.path / README).write_text("# Service\n\nBoth.\n", "utf-8")
    assert checkout.update("--continue")["status"] == "updated"
    assert not git(checkout.path, "diff", "--name-only", "--diff-filter=U")


def test_an_edited_file_that_goes_stops_it(checkout: Checkout) -> None:
    """Nothing has changed; what to keep is named, and kept when asked for."""
    checkout.replace(CACHE, "SIZE = LIMIT", "SIZE = 2 * LIMIT")
    before = checkout.files()
    report = checkout.update("--data", "cache=none", code=Exit.WOULD_LOSE_WORK)
    assert report["would_lose"] == [CACHE]
    assert report["keep"] == [CACHE]
    assert checkout.files() == before
    checkout.update("--data", "cache=none", "--keep", CACHE)
    assert "2 * LIMIT" in checkout.read(CACHE)
    assert "cache: none" in checkout.read(".copier-answers.yml")


def test_a_file_that_own_code_imports_stops_it(upstream: Upstream, checkout: Checkout) -> None:
    """What the kept file imports is kept with it, so that the program imports."""
    checkout.write("src/app/own.py", "from app.cache import SIZE\n\nprint(SIZE)\n")
    upstream.release("v0.2.0", {f"template/{PAGES}": None, f"template/{CACHE}": None})
    report = checkout.update(code=Exit.WOULD_LOSE_WORK)
    assert report["would_break"] == ["src/app/own.py imports app.cache"]
    assert report["keep"] == [CACHE, PAGES]
    keep = [word for path in report["keep"] for word in ("--keep", path)]
    assert checkout.update(*keep)["kept"] == [CACHE, PAGES]
    assert (checkout.path / PAGES).exists()


def test_an_unused_file_that_goes_is_deleted(checkout: Checkout) -> None:
    """Its folder too, where nothing else is in it."""
    assert checkout.update("--data", "cache=none")["deleted"] == [CACHE]
    assert not (checkout.path / CACHE).exists()


def test_a_renamed_function_is_named(upstream: Upstream, checkout: Checkout) -> None:
    """The update is made, as its owner cannot adapt before, and says where to look."""
    checkout.write("src/app/own.py", "from app.pages import cut\n\nprint(cut([]))\n")
    upstream.release("v0.2.0", changed(PAGES, "def cut(", "def shorten("))
    report = checkout.update()
    assert report["renamed"] == ["src/app/own.py imports cut of app.pages"]


MOVED = (
    '[[move]]\nversion = "0.2.0"\nfrom = "src/app/pages.py"\nto = "src/app/core/pagination.py"\n'
)


@pytest.mark.parametrize("edited", [True, False])
def test_a_renamed_file_takes_edits_along(
    upstream: Upstream, checkout: Checkout, *, edited: bool
) -> None:
    """The edit is merged with what the release changed in the file at its new place."""
    if edited:
        checkout.replace(PAGES, "LIMIT = 20", "LIMIT = 50")
    text = changed(PAGES, "items[FIRST - 1 : limit]", "items[:limit]")[f"template/{PAGES}"]
    cache = changed(CACHE, "app.pages", "app.core.pagination")
    new = {f"template/{PAGES}": None, "template/src/app/core/pagination.py": text, **cache}
    upstream.release("v0.2.0", {**new, "moves.toml": MOVED})
    report = checkout.update()
    assert report["moved"] == ({PAGES: "src/app/core/pagination.py"} if edited else {})
    assert not (checkout.path / PAGES).exists()
    arrived = checkout.read("src/app/core/pagination.py")
    assert f"LIMIT = {50 if edited else 20}\n" in arrived
    assert "items[:limit]" in arrived


def test_a_change_follows_a_file_that_was_moved_here(
    upstream: Upstream, checkout: Checkout
) -> None:
    """A release reaches the place to which the owner has moved a file."""
    git(checkout.path, "mv", PAGES, "src/app/paging.py")
    git(checkout.path, "rm", "--quiet", CACHE)
    checkout.commit()
    upstream.release("v0.2.0", changed(PAGES, "LIMIT = 20", "LIMIT = 30"))
    report = checkout.update()
    assert report["moved"] == {PAGES: "src/app/paging.py"}
    assert "LIMIT = 30" in checkout.read("src/app/paging.py")
    assert not (checkout.path / PAGES).exists()
    assert not (checkout.path / CACHE).exists()


def test_a_change_to_a_deleted_file_is_told(upstream: Upstream, checkout: Checkout) -> None:
    """The file stays deleted."""
    git(checkout.path, "rm", "--quiet", README)
    checkout.commit()
    upstream.release("v0.2.0", changed(README, "One.", "1."))
    assert checkout.update()["deleted_here"] == [README]
    assert not (checkout.path / README).exists()


def test_own_format_makes_no_conflicts(upstream: Upstream, checkout: Checkout) -> None:
    """A service with lines of another length merges as one without."""
    checkout.replace("pyproject.toml", "100", "50")
    checkout.replace(
        PAGES,
        "def cut(items: list[int], limit: int = LIMIT) -> list[int]:",
        "def cut(\n    items: list[int], limit: int = LIMIT\n) -> list[int]:",
    )
    upstream.release("v0.2.0", changed(PAGES, "limit: int = LIMIT", "limit: int = FIRST"))
    checkout.update()
    assert "    items: list[int], limit: int = FIRST\n) ->" in checkout.read(PAGES)


def test_line_ends_stay(upstream: Upstream, checkout: Checkout) -> None:
    """A file with the line ends of Windows merges, and keeps them."""
    checkout.write(README, checkout.read(README).replace("\n", "\r\n").replace("Three", "3"))
    upstream.release("v0.2.0", changed(README, "One.", "1."))
    checkout.update()
    assert checkout.read(README) == "# Service\r\n\r\n1.\r\n\r\nTwo.\r\n\r\n3.\r\n"


def test_squashed_revisions_stay_squashed(upstream: Upstream, checkout: Checkout) -> None:
    """What belongs to the project is not brought back, and not changed."""
    git(checkout.path, "mv", "migrations/first.py", "migrations/squashed.py")
    checkout.write("migrations/squashed.py", '"""All of it."""\n')
    upstream.release("v0.2.0", {"template/migrations/first.py": '"""Changed."""\n'})
    checkout.update()
    assert sorted(p.name for p in (checkout.path / "migrations").iterdir()) == ["squashed.py"]
    assert checkout.read("migrations/squashed.py") == '"""All of it."""\n'


def test_the_users_defaults_switch_nothing_on(
    upstream: Upstream, checkout: Checkout, tmp_path: Path
) -> None:
    """A settings.yml is for new projects."""
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults:\n  colour: red\n", "utf-8")
    question = 'colour: {type: str, default: "no"}\n'
    upstream.release("v0.2.0", {"copier.yml": COPIER + question})
    report = checkout.update(COPIER_SETTINGS_PATH=str(settings))
    assert report["answers"] == {"colour": "no"}


COPIER = str(FIRST["copier.yml"])


def test_an_answer_that_is_no_longer_allowed_is_refused(
    upstream: Upstream, checkout: Checkout
) -> None:
    """Copier would drop it without a word, and the part with it."""
    upstream.release("v0.2.0", {"copier.yml": COPIER.replace("[none, redis]", "[none, valkey]")})
    report = checkout.update(code=Exit.WOULD_LOSE_WORK)
    assert "cache would change from redis to none" in report["error"]
    assert checkout.update("--data", "cache=valkey")["answers"] == {"cache": "valkey"}


NOTICE = """
[[notice]]
version = "0.2.0"
text = "Entries are kept for a minute."
when = { cache = "redis" }
settings = ["APP_CACHE_KEEP"]

[[notice]]
version = "0.1.0"
text = "Old news."
"""


@pytest.mark.parametrize("cache", ["redis", "none"])
def test_notices_are_for_those_concerned(upstream: Upstream, tmp_path: Path, cache: str) -> None:
    """They are shown for the answers that they name, from one's own release on."""
    service = copied(upstream, tmp_path / "other", cache=cache)
    service.write(".env.example", "APP_CACHE_KEEP=60\n")
    upstream.release("v0.2.0", {"notices.toml": NOTICE})
    expected = [
        "0.2.0: Entries are kept for a minute.",
        "0.2.0: .env.example sets APP_CACHE_KEEP, which is gone.",
    ]
    assert service.update()["notices"] == (expected if cache == "redis" else [])


def test_the_changelog_since_then_is_shown(upstream: Upstream, checkout: Checkout) -> None:
    """Each release in between, none before, none after."""
    sections = "".join(f"## [0.{n}.0]\n\n- News {n}.\n\n" for n in (4, 3, 2, 1))
    upstream.release("v0.2.0", {"template/new.txt": "2\n"})
    upstream.release("v0.3.0", {"template/new.txt": "3\n", "CHANGELOG.md": f"# C\n\n{sections}"})
    told = checkout.plinth("update", "--dry-run").stderr
    assert [n for n in range(1, 5) if f"News {n}." in told] == [2, 3]
    assert not git(checkout.path, "status", "--porcelain")


def test_the_checks_run_at_the_end(upstream: Upstream, checkout: Checkout, tmp_path: Path) -> None:
    """What fails is named, with a code of its own."""
    upstream.release("v0.2.0", changed(README, "One.", "1."))
    path = pretend(tmp_path / "bin", ["uv", "make"], failing="check")
    done = checkout.plinth("update", PATH=path)
    assert done.returncode == Exit.CHECKS_FAILED
    assert "Updated from v0.1.0 to v0.2.0, but `make check` failed" in done.stderr
    git(checkout.path, "restore", "--source=HEAD", "--staged", "--worktree", "--", ".")
    path = pretend(tmp_path / "good", ["uv", "make"])
    done = checkout.plinth("update", PATH=path)
    assert done.returncode == Exit.UPDATED
    assert "$ make test" in done.stdout
    assert "all checks and tests pass" in done.stderr
