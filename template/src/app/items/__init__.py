"""Items: an example of a domain."""
