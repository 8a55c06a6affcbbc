"""`plinth domain`: a new domain in the style of a service's own release and answers."""
