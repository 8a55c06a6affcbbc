"""The database driver of development and tests."""

DRIVER = "asyncmy"
