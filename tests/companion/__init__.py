"""Tests of the companion command, on templates of a few files."""
