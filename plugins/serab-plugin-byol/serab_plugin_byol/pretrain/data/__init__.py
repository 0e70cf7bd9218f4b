"""Training data: listing audio files, packing them, and drawing batches of segments."""
