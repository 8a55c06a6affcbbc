"""How commands end."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `plinth update`."""

    UPDATED = 0
    FAILED = 1
    """Nothing has changed, or the message says what has."""
    NOTHING_TO_DO = 2
    CONFLICTS = 3
    WOULD_LOSE_WORK = 4
    CHECKS_FAILED = 5


class StoppedError(Exception):
    """A command cannot go on; the message is a sentence for its user."""

    def __init__(self, sentence: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.code = code
