"""What is the driver's alone: psycopg."""

from collections.abc import Mapping

from psycopg import Error

CONNECT_ERRORS = (Error, OSError)


def driver_options(
    connect_timeout: int, server_settings: Mapping[str, str], *, pooler: bool
) -> dict[str, object]:
    """Options of the engine; behind a `pooler` no connection keeps anything between transactions.

    A pooler takes no settings for the server either: give them to the role, by ALTER ROLE.
    """
    arguments: dict[str, object] = {"connect_timeout": connect_timeout}
    if pooler:
        arguments["prepare_threshold"] = None
    else:
        settings = [f"-c {name}={value}" for name, value in server_settings.items()]
        arguments["options"] = " ".join(settings)
    return {"connect_args": arguments}
