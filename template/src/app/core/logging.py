"""Logs on standard output: one JSON object per line, or coloured text in a terminal."""

import logging
import sys

import structlog
from structlog.types import EventDict, Processor

from app.core.config import Settings

SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(settings: Settings) -> None:
    """Render the records of the service and of all libraries by structlog."""
    rendering = _rendering()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *SHARED,
            *rendering,
            _as_line,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=settings.environment != "test",
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=[*SHARED, structlog.stdlib.ExtraAdder(), _drop_color_message],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    _adopt_other_loggers()


class _Line(str):
    """An event that structlog has rendered already."""

    __slots__ = ()


def _as_line(_logger: object, _method: str, rendered: object) -> _Line:
    return _Line(rendered)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        """Render records of the standard library's loggers; those of structlog are rendered."""
        return record.msg if isinstance(record.msg, _Line) else super().format(record)


def _rendering() -> list[Processor]:
    if sys.stdout.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    # Local variables may hold passwords and tokens.
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(traceback),
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _drop_color_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Remove a second copy of the message with colours, which some servers add."""
    event.pop("color_message", None)
    return event


def _adopt_other_loggers() -> None:
    """Remove the handlers that others installed before, such as the server's."""
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        if logger.handlers:
            logger.handlers.clear()
            logger.propagate = True
    # It logs the URL of every request, with the query string.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
