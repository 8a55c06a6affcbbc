"""Health endpoints for orchestrators and load balancers."""

import asyncio
from typing import Literal

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel
from rfc9457 import StatusProblem
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import problem_responses
from app.db.errors import DatabaseUnavailable
from app.db.session import DatabaseDep

router = APIRouter(tags=["health"])
logger = structlog.stdlib.get_logger("app.health")


class Health(BaseModel):
    """The response of a successful probe."""

    status: Literal["ok"] = "ok"


class NotReady(StatusProblem):
    """The service cannot serve requests at the moment."""

    status = 503
    title = "The service is not ready."
    type_ = "not-ready"


@router.get("/livez")
@router.head("/livez", include_in_schema=False)
async def livez() -> Health:
    """Liveness: the process responds. It checks nothing that a restart would not repair."""
    return Health()


@router.get("/readyz", responses=problem_responses(NotReady))
@router.get("/healthz", name="healthz", responses=problem_responses(NotReady))
@router.head("/readyz", include_in_schema=False)
@router.head("/healthz", include_in_schema=False)
async def readyz(request: Request, database: DatabaseDep) -> Health:
    """Readiness: the database responds within `APP_DATABASE_READY_TIMEOUT` seconds."""
    timeout = request.app.state.settings.database_ready_timeout
    try:
        async with asyncio.timeout(timeout), database.probe.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (TimeoutError, DatabaseUnavailable, SQLAlchemyError) as error:
        # A timeout has no text.
        reason = str(error.__cause__ or error) or f"no response within {timeout} s"
        logger.warning("not ready", reason=reason)
        raise NotReady("The database does not respond.") from error
    return Health()
