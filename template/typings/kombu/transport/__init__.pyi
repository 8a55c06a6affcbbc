# Types for what the service uses of kombu's transports.

TRANSPORT_ALIASES: dict[str, str]
