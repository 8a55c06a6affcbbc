"""Commands of this repository, each behind a target of the Makefile."""
