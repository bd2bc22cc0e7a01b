"""Implementations of the ports: key folders, user stores, shared state."""
