"""Transactional outbox: tasks that are stored with a change, and sent once it is committed."""
