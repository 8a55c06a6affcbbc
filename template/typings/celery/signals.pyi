# Types for what the service uses of Celery's signals.

from collections.abc import Callable

class Signal:
    def connect(self, receiver: Callable[..., None], *, weak: bool = ...) -> None: ...

setup_logging: Signal
worker_ready: Signal
