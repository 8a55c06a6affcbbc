# Types for what the service uses of dramatiq's broker for Redis.

from dramatiq import Broker

class RedisBroker(Broker):
    def __init__(
        self,
        *,
        url: str,
        namespace: str,
        heartbeat_timeout: int,
        maintenance_chance: int,
        middleware: list[object],
    ) -> None: ...
