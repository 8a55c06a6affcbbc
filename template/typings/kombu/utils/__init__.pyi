"""What the service uses of kombu's helpers."""
