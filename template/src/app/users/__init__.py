"""Users: accounts, passwords and access tokens."""
