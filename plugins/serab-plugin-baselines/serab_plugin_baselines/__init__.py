"""Baselines that nobody trained: guesses, and statistics over time of log-mels and MFCCs."""
