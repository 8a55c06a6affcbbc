"""Fill the development database with something to look at: `make seed`, as often as you like."""

import asyncio

from sqlalchemy import select

from app.core.config import get_settings, load_settings
from app.core.pagination import Page
from app.core.security import AuthSettings, Security
from app.db.session import Database
from app.items.service import create_item, list_items
from app.users.models import User
from app.users.service import create_user

EMAIL = "demo@example.org"
PASSWORD = "an example password"  # noqa: S105 - of an account for development
ITEMS = {
    "Lamp": "Brass, with a green shade.",
    "Kettle": "Whistles.",
    "Ladder": "Twelve rungs.",
}


async def seed(database: Database, security: Security) -> int:
    """Add the demo user and their items where they are missing; returns how many items came."""
    async with database.write.begin() as session:
        user = await session.scalar(select(User).filter_by(email=EMAIL))
        if user is None:
            user = await create_user(session, security, email=EMAIL, password=PASSWORD)
        present = {item.name for item in (await list_items(session, user, Page(100))).rows}
        missing = [name for name in ITEMS if name not in present]
        for name in missing:
            await create_item(session, user, name=name, description=ITEMS[name])
    return len(missing)


async def main() -> None:
    """Seed the database that the settings name."""
    database = Database.create(get_settings())
    added = await seed(database, Security(load_settings(AuthSettings)))
    await database.close()
    print(f"{added} items added; log in as {EMAIL} with the password: {PASSWORD}")


if __name__ == "__main__":
    asyncio.run(main())
