# Types for what the service uses of dramatiq's broker for RabbitMQ.

from dramatiq import Broker

class Channel:
    def queue_delete(self, queue: str) -> object: ...

class RabbitmqBroker(Broker):
    channel: Channel
    def __init__(self, *, url: str, confirm_delivery: bool, middleware: list[object]) -> None: ...
