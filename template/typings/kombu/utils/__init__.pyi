# Types for what the service uses of kombu's helpers.
