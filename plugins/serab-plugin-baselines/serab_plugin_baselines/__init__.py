"""Baselines without training: guesses, and statistics over time of log-mels and MFCCs."""
