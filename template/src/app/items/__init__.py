"""Items: an example of a domain whose rows belong to users."""
