"""The table of users."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Identifier, UpdatedAt


class User(Base):
    """An account; the e-mail address, as `normalize_email` spells it, is the user name."""

    __tablename__ = "users"

    id: Mapped[Identifier]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
