"""Raw downloads to prepared corpora: sources, names, split rules, protocols and the index that is kept."""
