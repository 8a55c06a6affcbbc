"""What the service uses of kombu, with the types that the package leaves open."""
