"""Which violated constraint means that an e-mail address is taken."""

from sqlalchemy import URL, text

from app.db.session import Database
from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.users.fixtures import CredentialsFactory, json_of


async def test_another_constraint_does_not_mean_that_the_address_is_taken(
    own_database: URL,
) -> None:
    app = create_app(settings_for(own_database))
    database: Database = app.state.database
    account, other = CredentialsFactory.batch(2)
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.post("/auth/register", json=json_of(account))).status_code == 201
        unique = "CREATE UNIQUE INDEX uq_users_is_active ON users (is_active)"
        async with database.write.begin() as session:
            await session.execute(text(unique))
        response = await client.post("/auth/register", json=json_of(other))
    assert (response.status_code, response.json()["type"]) == (409, "conflict")
