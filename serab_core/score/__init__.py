"""Predictions to metrics, choices and aggregates: pure functions."""
