"""The database: its engine, sessions, and what all models are made from."""
