"""Plinth, a Copier template for FastAPI services: its harness."""
