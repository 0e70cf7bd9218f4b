"""From embeddings to the chosen classifier and its predictions: normalisation, and the search with Optuna."""
