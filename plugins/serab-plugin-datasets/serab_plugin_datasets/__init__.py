"""The corpora of SERAB: one small module each, all of one shape."""
