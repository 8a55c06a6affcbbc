"""Tests that need a Docker engine; `make containers` runs them."""
