"""What a long run has found so far, kept so that one that was ended goes on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class Journal:
    """A file with a line of JSON for each entry, written at once; what a kill cut off is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text("utf-8") if file.exists() else ""
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        file.write_text("".join(lines), "utf-8")
        self.entries: Sequence[dict[str, Any]] = [json.loads(line) for line in lines]
        """Those of earlier runs."""

    def add(self, entry: Mapping[str, object]) -> None:
        """Write one more."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")
