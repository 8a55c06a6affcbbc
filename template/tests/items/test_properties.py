"""Requests made from the API's own description never make it fail, nor answer something else."""

from importlib import import_module
from typing import Any

from anyio import to_thread
from hypothesis import HealthCheck, given, settings
from sqlalchemy import URL

from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.items.conftest import authorise

# Imported this way because its types are incomplete.
openapi: Any = import_module("schemathesis.openapi")
checks: Any = import_module("schemathesis.specs.openapi.checks")
CHECKS = [
    import_module("schemathesis.checks").not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


async def test_api_does_what_it_says(own_database: URL) -> None:
    app = create_app(settings_for(own_database))
    async with client_of(app) as client:
        await authorise(client)
        headers = dict(client.headers)
    await app.state.database.close()
    schema = openapi.from_dict(app.openapi()).include(path_regex="^/items")
    schema.app = app
    for operation in schema.get_all_operations():
        await to_thread.run_sync(check, operation.ok(), headers)
    await app.state.database.close()


def check(operation: Any, headers: dict[str, str]) -> None:
    """Make requests of all kinds for one operation."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(operation.as_strategy())
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    run()
