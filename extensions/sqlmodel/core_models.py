"""The base of all models."""

from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import declared_attr
from sqlmodel import SQLModel

from app.core.times import utc_now

__all__ = ["Base", "utc_now"]


class Base(SQLModel):
    """Base of all models; the naming convention gives every constraint a name to migrate by.

    A table is a model with `table=True` and a `table_name`. Ids are UUIDs of version 7 (RFC 9562),
    which begin with the time: rows are stored, and listed, in the order of creation.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    table_name: ClassVar[str]

    if not TYPE_CHECKING:  # the package declares that it is no text
        __tablename__ = declared_attr.directive(lambda cls: cls.table_name)
