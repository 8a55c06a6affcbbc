"""Templates of organisations."""
