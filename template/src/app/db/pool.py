"""Connections of the pool that are dead are replaced before somebody gets one."""

from math import inf
from time import monotonic

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection


def ping_idle_connections(engine: AsyncEngine, *, after: float) -> None:
    """Test a pooled connection before use if it lay idle for more than `after` seconds.

    SQLAlchemy's `pool_pre_ping` does so at every check-out, which busy pools do not need.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def remember(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def ping(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        if monotonic() - record.info.get("idle_since", inf) < after:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
