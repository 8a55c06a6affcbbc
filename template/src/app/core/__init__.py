"""What all domains build on; it imports none of them."""
