"""Embeddings to the chosen classifier and its predictions: normalisation, and the search that Optuna drives."""
