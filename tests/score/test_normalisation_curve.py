"""The figure of docs/protocols.md: its simulation in short."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.standard


@pytest.fixture(scope="module")
def normalisation():
    path = Path(__file__).parents[2] / "benchmarks" / "normalisation.py"
    spec = importlib.util.spec_from_file_location("normalisation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_companions_are_random_balanced_or_of_one_class(normalisation):
    rng, labels = np.random.default_rng(0), np.repeat(list("abc"), 8)
    for place in (0, 9, 23):
        chosen = {kind: normalisation.companions(rng, labels, place, 6, kind) for kind in normalisation.KINDS}
        assert all(rows[0] == place and len(set(rows)) == 6 for rows in chosen.values())
        assert sorted(labels[chosen["balanced"]]) == list("aabbcc")
        assert set(labels[chosen["one class"]]) == {labels[place]}
    assert len(normalisation.companions(rng, labels, 0, 30, "random")) == 24


def test_accuracy_needs_many_utterances_of_all_classes(normalisation):
    values = normalisation.curve(*normalisation.simulated(np.random.default_rng(1)), repeats=1)
    assert values["random", 1] == values["one class", 1] == 25  # all features are zero
    assert values["random", 2] < values["random", 5] < values["random", 0] == values["balanced", 0]
    assert values["random", 5] < values["balanced", 5]
    assert values["one class", 0] < 35 < values["training", 0]
    table = normalisation.table({"x": values})
    assert len({row.count("|") for row in table}) == 1
    assert "x, classes balanced" in normalisation.figure({"x": values})
