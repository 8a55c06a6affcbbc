"""An audit log: a record of each request that may change something."""

from fastapi import FastAPI

from app.audit.config import AuditSettings
from app.audit.middleware import AuditMiddleware
from app.core.config import load_settings


def install_audit(app: FastAPI) -> None:
    """Record what is requested of the application."""
    app.add_middleware(AuditMiddleware, settings=load_settings(AuditSettings))
