"""SERAB's five classifiers with the paper's grids (arXiv:2110.03414), and two regressors: one module for each."""
