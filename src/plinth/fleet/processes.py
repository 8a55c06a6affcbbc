"""Processes of our own that share work; each keeps what it has compiled."""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def each(
    function: Callable[[Given], Made], given: Sequence[Given], jobs: int, scratch: Path
) -> Iterator[Made]:
    """Yield what a function makes of each, as it is ready.

    The processes are spawned: this one has threads, which a fork would not survive.
    """
    spawn = multiprocessing.get_context("spawn")
    many = max(min(jobs, len(given)), 1)
    with ProcessPoolExecutor(many, spawn, _begin, (str(scratch),)) as pool:
        futures = {pool.submit(function, one) for one in given}
        for future in as_completed(futures):
            yield future.result()
            futures.discard(future)  # so that no result is kept longer than it is needed


def _begin(scratch: str) -> None:
    # What a process leaves behind is in a folder that its parent removes.
    tempfile.tempdir = scratch
