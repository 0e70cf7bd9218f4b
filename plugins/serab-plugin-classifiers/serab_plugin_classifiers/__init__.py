"""SERAB's five classifiers with the paper's grids (reference section 2.3): one small module each."""
