"""LDA on wide features against scikit-learn's LDA, with the size of a small task.

tox run -e bench -- benchmarks/test_lda.py
"""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from serab_core.types import Examples

N, D, CLASSES = 344, 2048, 7


@pytest.fixture(scope="module")
def examples() -> Examples:
    rng = np.random.RandomState(0)
    y = np.arange(N) % CLASSES
    X = rng.standard_normal((N, D)) + 0.3 * rng.standard_normal((CLASSES, D))[y]
    return Examples(X, y.astype(np.int64), CLASSES)


@pytest.mark.parametrize("which", ["scikit-learn", "serab"])
@pytest.mark.benchmark(group=f"LDA, {N} utterances, {D} dimensions, one thread")
def test_fit(benchmark, examples, which):
    from serab_plugin_classifiers._linear import fit_linear
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    def theirs() -> object:
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(examples.X, examples.y)

    def ours() -> object:
        return fit_linear(examples)

    with threadpool_limits(1):
        benchmark.pedantic(theirs if which == "scikit-learn" else ours, rounds=3, warmup_rounds=1)
