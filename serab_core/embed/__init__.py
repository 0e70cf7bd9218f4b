"""Utterances to embeddings: fingerprints, blocks of work, and the cache of shards."""
