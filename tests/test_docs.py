"""What the documentation says was measured is what was measured."""

import pytest

from tools.docs import PAGE, TABLES, filled, table


def test_tables_are_those_of_the_results() -> None:
    """The page is what the command writes."""
    text = PAGE.read_text("utf-8")
    assert filled(text, {name: table(name) for name in TABLES}) == text, "make docs writes them"


@pytest.mark.parametrize("text", ["", "<!-- kills -->\n<!-- end -->\n" * 2])
def test_table_has_one_place(text: str) -> None:
    """A table without a place is not left out, nor written twice."""
    with pytest.raises(ValueError, match=r"places for kills, not 1\."):
        filled(text, {"kills": ["| a |"]})


@pytest.mark.parametrize("name", TABLES)
def test_every_library_on_every_broker_was_measured(name: str) -> None:
    """No row is missing."""
    rows = [line.split("|")[1].strip() for line in table(name)[2:]]
    assert rows == [
        "arq, redis",
        "celery, rabbitmq",
        "celery, redis",
        "dramatiq, rabbitmq",
        "dramatiq, redis",
        "rq, redis",
        "taskiq, nats",
        "taskiq, rabbitmq",
        "taskiq, redis",
    ]
