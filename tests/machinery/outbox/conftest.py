"""Fixtures for tests with a real broker and worker processes."""

from tests.machinery.tasks.fixtures import broker_url, effects, queue, sender, task_environment

__all__ = ["broker_url", "effects", "queue", "sender", "task_environment"]
