"""Raw downloads to prepared corpora: sources, names, split rules, protocols and the stored index."""
