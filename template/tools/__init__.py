"""Commands for development. The service does not import them."""
