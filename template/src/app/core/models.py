"""The base of all models, and columns that they share."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, mapped_column
from uuid_utils.compat import uuid7

from app.core.engine import IDENTIFIER
from app.core.times import UTCDateTime, utc_now

__all__ = ["Base", "CreatedAt", "Identifier", "UpdatedAt", "utc_now"]


class Base(DeclarativeBase):
    """Base of all models; the naming convention gives every constraint a name to migrate by."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {UUID: IDENTIFIER, datetime: UTCDateTime}


# Version 7 of RFC 9562 begins with the time: rows are stored, and listed, in the order of creation.
Identifier = Annotated[UUID, mapped_column(primary_key=True, default=uuid7)]
CreatedAt = Annotated[datetime, mapped_column(default=utc_now)]
UpdatedAt = Annotated[datetime, mapped_column(default=utc_now, onupdate=utc_now)]
