"""The HEAR API, in both directions."""
