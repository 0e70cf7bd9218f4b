"""From audio files to batches of segments: listing, packing, and drawing."""
