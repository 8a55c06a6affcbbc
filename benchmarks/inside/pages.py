"""A page deep in 1,000,000 rows of one user, beside the first one; and what the database does.

There are 1,000 users, so that it does what it would do in a service that is used.
"""

import asyncio
import json
import statistics
import time
from uuid import UUID

from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from service import database_server, log_in, migrate
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import joinedload
from uuid_utils.compat import uuid7

from app.core.config import Settings
from app.db.base import utc_now
from app.db.session import Database
from app.items.models import Item
from app.main import create_app
from app.users.models import User

ROWS = 1_000_000
USERS = 1_000
BATCH = 5_000
DEEP = 900_000
ROUNDS = 200
LIMIT = 1.3
DIALECTS = {"mysql": mysql, "postgresql": postgresql, "sqlite": sqlite}


async def fill(database: Database, owner: UUID) -> UUID:
    """Store the rows, and return the id that so many are newer than."""
    ids = [uuid7() for _ in range(ROWS)]
    now = utc_now()
    async with database.write() as session:
        others = [
            {"email": f"{number}@example.org", "password_hash": "x", "is_active": True}
            for number in range(USERS)
        ]
        await session.execute(insert(User), others)
        for start in range(0, ROWS, BATCH):
            rows = [
                {
                    "id": number,
                    "owner_id": owner,
                    "title": "lamp",
                    "description": "brass",
                    "created_at": now,
                    "updated_at": now,
                }
                for number in ids[start : start + BATCH]
            ]
            await session.execute(insert(Item), rows)
            await session.commit()
    return ids[ROWS - DEEP]


async def plan(engine: AsyncEngine, owner: UUID, after: UUID) -> str:
    """Return what the database does for the deep page."""
    statement = select(Item).filter_by(owner_id=owner).where(Item.id < after)
    statement = statement.options(joinedload(Item.owner, innerjoin=True))
    statement = statement.order_by(Item.id.desc()).limit(21)
    dialect = engine.dialect
    sql = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = {"sqlite": "EXPLAIN QUERY PLAN"}.get(dialect.name, "EXPLAIN")
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(f"{explain} {sql}".replace("%", "%%"))
        return "\n".join(" ".join(map(str, row)) for row in rows)


async def main() -> None:
    """Measure, and print the figures as JSON."""
    with database_server() as server:
        migrate(server.url)
        url = SecretStr(server.url.render_as_string(hide_password=False))
        app = create_app(Settings(environment="test", database_url=url, log_level="ERROR"))
        engine = app.state.database.engine
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await log_in(client)
            async with app.state.database.read() as session:
                owner = (await session.scalars(select(User))).one().id
            deep = await fill(app.state.database, owner)
            async with engine.connect() as connection:
                analyse = "ANALYZE TABLE items" if engine.dialect.name == "mysql" else "ANALYZE"
                await connection.execute(text(analyse))
                await connection.commit()
            await engine.dispose()  # new connections know what was found out
            seconds: dict[str, list[float]] = {"first": [], "deep": []}
            for _ in range(ROUNDS):
                for name, query in (("first", {}), ("deep", {"cursor": str(deep)})):
                    start = time.perf_counter()
                    answer = await client.get("/items", params=query)
                    seconds[name].append(time.perf_counter() - start)
                    assert len(answer.json()["items"]) == 20, answer.text
        found = await plan(engine, owner, deep)
        await app.state.database.close()
    first, last = (statistics.median(times) * 1000 for times in seconds.values())
    ratio = round(last / first, 2)
    figures = {
        "first ms": round(first, 2),
        "deep ms": round(last, 2),
        "ratio": ratio,
        "plan": found,
    }
    print(json.dumps(figures | {"ok": ratio <= LIMIT}))


asyncio.run(main())
