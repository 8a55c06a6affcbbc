"""Probes for what runs the service: is it alive, may it have traffic?"""

import asyncio
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from rfc9457 import StatusProblem
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import problem_responses
from app.db.errors import DatabaseUnavailable
from app.db.session import DatabaseDep

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The answer of a probe that succeeds."""

    status: Literal["ok"] = "ok"


class NotReady(StatusProblem):
    """The service cannot do its work at the moment."""

    status = 503
    title = "The service is not ready."
    type_ = "not-ready"


@router.get("/livez")
async def livez() -> Health:
    """The process answers. Touches nothing else: a restart would not mend a lost database."""
    return Health()


@router.get("/readyz", responses=problem_responses(NotReady))
@router.get("/healthz", responses=problem_responses(NotReady))
async def readyz(request: Request, database: DatabaseDep) -> Health:
    """The service can do its work: its database answers, and it is not about to stop."""
    if request.app.state.draining:
        detail = "The service is about to stop."
        raise NotReady(detail)
    try:
        async with asyncio.timeout(request.app.state.settings.database_ready_timeout):
            async with database.read() as session:
                await session.execute(text("SELECT 1"))
    except (TimeoutError, DatabaseUnavailable, SQLAlchemyError) as error:
        detail = "The database does not answer."
        raise NotReady(detail) from error
    return Health()
