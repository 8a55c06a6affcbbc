"""Figures of generated services, each measured by one command: make bench NAME=outage."""
