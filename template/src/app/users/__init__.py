"""Users: who they are, and their own account."""
