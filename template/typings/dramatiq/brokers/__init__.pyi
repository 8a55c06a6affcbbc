"""What the service uses of dramatiq's brokers."""
