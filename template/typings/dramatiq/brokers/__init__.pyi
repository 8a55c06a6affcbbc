# Types for what the service uses of dramatiq's brokers.
