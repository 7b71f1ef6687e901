"""Peers: other people's networks that take clicks, behind the interface of our own methods."""
