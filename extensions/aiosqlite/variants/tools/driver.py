"""The database driver of development and tests."""

DRIVER = "aiosqlite"
