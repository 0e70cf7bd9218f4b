"""Stored results: load, exchange, reproduce, and export what was computed."""
