"""Run the tests on a container of the database that compose.yaml names; it needs Docker.

`python -m tests.container` passes its arguments to pytest.
"""

import os
import sys
from pathlib import Path

import pytest
import yaml
from testcontainers.community.mysql import MySqlContainer

COMPOSE = Path(__file__).parent.parent / "compose.yaml"


def main() -> int:
    """Start the container, run pytest, and return its exit code."""
    image: str = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["database"]["image"]
    with MySqlContainer(image, dialect="asyncmy", username="root") as container:
        os.environ["APP_DATABASE_URL"] = container.get_connection_url()
        return pytest.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
