"""Speech and audio models of the Hugging Face hub."""
