"""Many services at once: what is out of order, and the next update of each."""
