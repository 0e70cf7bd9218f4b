"""The corpora of SERAB: one small module for each corpus."""
