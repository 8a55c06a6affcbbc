"""The database: the base class of models, the engine, sessions, and errors."""
