"""Show where a file of a project comes from: `make where FILE=src/app/auth/router.py`."""

import tempfile
from pathlib import Path

from plinth.harness.render import Renderer
from plinth.harness.source import copy_template, isolated
from plinth.harness.where import destination, locate, near
from tools.report import command, conclude


def main() -> None:
    """Look the file up, and show the answers that decide about it."""
    parser = command("where", __doc__)
    parser.add_argument("file", nargs="?", default="", help="a path in a project, or here")
    given = parser.parse_args()
    path = destination(given.file)
    if not path:
        parser.error("name a file: make where FILE=src/app/main.py")
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        renderer = Renderer(copy_template(Path(folder) / "template"))
        if path not in renderer.sources:
            close = ", ".join(near(renderer, path))
            parser.exit(1, f"No project has {path}.{f' Near: {close}' if close else ''}\n")
        conclude(locate(renderer, path), failed=False, as_json=given.json)


if __name__ == "__main__":
    main()
