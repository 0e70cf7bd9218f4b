"""From utterances to embeddings: fingerprints, blocks of utterances, and the cache of shards."""
