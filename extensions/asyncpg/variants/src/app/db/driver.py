"""What is the driver's alone: asyncpg."""

from collections.abc import Mapping

from asyncpg import InterfaceError, PostgresError

CONNECT_ERRORS = (InterfaceError, OSError, PostgresError)


def driver_options(
    connect_timeout: int, server_settings: Mapping[str, str], *, pooler: bool
) -> dict[str, object]:
    """Options of the engine; behind a `pooler` no connection keeps anything between transactions.

    A pooler takes no settings for the server either: give them to the role, by ALTER ROLE.
    """
    arguments: dict[str, object] = {"timeout": connect_timeout}
    if not pooler:
        return {"connect_args": arguments | {"server_settings": server_settings}}
    # The driver prepares a statement and executes it in two steps, which a transaction keeps on
    # one connection of the server.
    arguments |= {
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": str,  # without a name
        "statement_cache_size": 0,
    }
    return {"connect_args": arguments, "isolation_level": "READ COMMITTED"}
