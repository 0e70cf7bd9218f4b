"""Stored results: load, exchange and reproduce them, and export embeddings and classifiers."""
