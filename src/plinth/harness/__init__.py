"""A library for testing the template: its answers, projects made from it, checks on these."""
