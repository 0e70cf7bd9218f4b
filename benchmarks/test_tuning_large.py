"""Time and memory of the grids at the size of CREMA-D: 5,144 + 738 rows of random features.

tox run -e bench -- benchmarks/test_tuning_large.py

There is no peer, because LDA alone would take hours with GridSearchCV.
"""

from __future__ import annotations

import resource

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from serab_core import plugins
from serab_core.score.metrics import accuracy
from serab_core.tune.points import best_point, fit_and_predict
from serab_core.tune.study import search
from serab_core.types import Examples


def simulated_examples(dimensions: int, rows: int, seed: int) -> Examples:
    """Return examples of six overlapping classes; the variance of the features falls as it does in embeddings."""
    rng = np.random.RandomState(seed)
    y = rng.randint(6, size=rows)
    centres = np.random.RandomState(0).standard_normal((6, dimensions))
    scale = 1.0 / np.sqrt(1.0 + np.arange(dimensions) / 20.0)
    X = (0.6 * centres[y] + rng.standard_normal((rows, dimensions))) * scale
    mixing = np.random.RandomState(1).standard_normal((dimensions, 64)) / 8.0
    X += rng.standard_normal((rows, 64)) @ mixing.T * 0.5
    X -= X.mean(axis=0)
    X /= X.std(axis=0)
    return Examples(X, y, 6)


@pytest.mark.parametrize("name", ["lda", "lr", "qda", "svc"])
@pytest.mark.parametrize("dimensions", [2048, 6373])
def test_grid(benchmark, dimensions, name, tmp_path):
    benchmark.group = f"5,144 + 738 rows, {dimensions} dimensions"
    train, validation, test = (
        simulated_examples(dimensions, 5144, 2),
        simulated_examples(dimensions, 738, 3),
        simulated_examples(dimensions, 1556, 4),
    )

    def run() -> None:
        spec = plugins.classifier(name)
        with threadpool_limits(1):
            workspace = spec.prepare(train, validation, seed=42)
            points = search(
                spec, workspace, validation, accuracy, journal=tmp_path / "s.h5", seed=42, advance=lambda n: None
            )
            fit_and_predict(workspace.refit, best_point(points).params, test)

    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["seconds"] = benchmark.stats.stats.median
    benchmark.extra_info["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
