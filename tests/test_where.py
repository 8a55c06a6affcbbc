"""A file of a project is traced back to what it is made of, and to the answers that choose it."""

from pathlib import Path

import pytest

from plinth.harness.render import Renderer
from plinth.harness.simulate import add_question
from plinth.harness.source import copy_template
from plinth.harness.where import destination, locate, near

PAINT = "src/app/paint.py"
VARIANT = f"extensions/colour_red/variants/{PAINT}"
STUB = (
    f'{{% include ["extensions/colour_" ~ colour ~ "/variants/{PAINT}", "template/{PAINT}"] %}}\n'
)


@pytest.fixture(scope="module")
def renderer(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    """Return what renders a template in which a file has a variant."""
    copy = copy_template(tmp_path_factory.mktemp("painted") / "template", template)
    add_question(copy, "colour", ["none", "red", "green"])
    texts = {
        f"template/{PAINT}.jinja": STUB,
        f"template/{PAINT}": '"""Paint."""\n',
        VARIANT: "# red\n",
    }
    for path, text in texts.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(text, "utf-8")
    return Renderer(copy)


def test_variants(renderer: Renderer) -> None:
    """Each is listed with the answers that lead to it."""
    assert str(locate(renderer, PAINT)) == (
        f"{PAINT} comes from template/{PAINT}.jinja\n"
        f"  template/{PAINT}\n"
        "    with colour=none or colour=green\n"
        f"  {VARIANT}\n"
        "    with colour=red"
    )


def test_file_of_a_part(renderer: Renderer) -> None:
    """One that is not always there says when it is."""
    place = locate(renderer, "src/app/colour_red/__init__.py")
    assert [origin.ways for origin in place.origins] == [["colour=red"]]


def test_shared_file(renderer: Renderer) -> None:
    """The shares of parts are listed by kind, in order of installation."""
    place = locate(renderer, "src/app/parts.py")
    assert place.source == "template/src/app/parts.py.jinja"
    assert [origin.source for origin in place.origins] == [place.source]
    assert "extensions/jwt/install" in place.partials["install"]


def test_every_file_is_found(renderer: Renderer) -> None:
    """No source of a project is without an origin."""
    for path in renderer.sources:
        if path.startswith(("src/app/core/", "tests/core/")):
            assert locate(renderer, path).origins, path


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (PAINT, PAINT),
        (f"./{PAINT}", PAINT),
        (f"template/{PAINT}", PAINT),
        (f"template/{PAINT}.jinja", PAINT),
        (VARIANT, PAINT),
        ("README.md", "README.md"),
    ],
)
def test_paths_of_this_repository(path: str, told: str) -> None:
    """A file here stands for the file that it becomes."""
    assert destination(path) == told


def test_near_matches(renderer: Renderer) -> None:
    """What is misspelt, or lies elsewhere, is guessed."""
    assert PAINT in near(renderer, "src/app/piant.py")
    assert PAINT in near(renderer, "app/core/paint.py")
    assert not near(renderer, "zzz")
