"""The outbox: tasks that are stored together with a change, and sent when it is committed."""
