"""Models of the Hugging Face hub that hear."""
