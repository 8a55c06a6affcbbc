"""Commands for development; the service itself knows nothing of them."""
