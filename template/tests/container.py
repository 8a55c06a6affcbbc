"""Run the tests on a container of the database that compose.yaml names; it needs Docker.

`python -m tests.container` passes its arguments to pytest.
"""

import os
import sys
from pathlib import Path

import pytest
import yaml
from testcontainers.community.postgres import PostgresContainer

COMPOSE = Path(__file__).parent.parent / "compose.yaml"


def main() -> int:
    """Start the container, run pytest, and return its exit code."""
    image: str = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["database"]["image"]
    container = PostgresContainer(image, driver=None)
    # As fast as the embedded server: it does not wait for the disk.
    with container.with_command("postgres -c fsync=off"):
        os.environ["APP_DATABASE_URL"] = container.get_connection_url()
        return pytest.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
