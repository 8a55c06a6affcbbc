# Types for what the service uses of kombu; the package leaves them open.
