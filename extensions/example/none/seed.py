"""Fill the development database with something to look at: `make seed`, as often as you like."""

import asyncio

from app.core.config import get_settings
from app.core.pagination import Page
from app.db.session import Database
from app.items.service import create_item, list_items

ITEMS = {
    "Lamp": "Brass, with a green shade.",
    "Kettle": "Whistles.",
    "Ladder": "Twelve rungs.",
}


async def seed(database: Database) -> int:
    """Add the items that are missing; returns how many came."""
    async with database.write.begin() as session:
        present = {item.name for item in (await list_items(session, Page(100))).rows}
        missing = [name for name in ITEMS if name not in present]
        for name in missing:
            await create_item(session, name=name, description=ITEMS[name])
    return len(missing)


async def main() -> None:
    """Seed the database that the settings name."""
    database = Database.create(get_settings())
    added = await seed(database)
    await database.close()
    print(f"{added} items added.")


if __name__ == "__main__":
    asyncio.run(main())
