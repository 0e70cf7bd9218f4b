"""The wide search: what is drawn, that a kill changes nothing, pruning, and how trials are dealt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serab_core.data.protocols import PROTOCOLS, with_tuner
from serab_core.errors import UsageError
from serab_core.score.metrics import accuracy
from serab_core.tune.points import best_point
from serab_core.tune.study import search
from serab_core.tune.wide import allocate_trials, with_trial_share
from serab_core.types import ClassifierSpec, Examples, PointError, Range

DATA = Examples(np.zeros((100, 1)), (np.arange(100) < 50).astype(np.int64), 2)
SPACE = {
    "kind": ("near", "far"),
    "x": Range(-1.0, 1.0),
    "scale": Range(1e-3, 1e3, log=True, when=("kind", "far")),
    "count": Range(1, 9, integer=True),
}


class Hill:
    """Right for as many of the 100 examples as x is near 0.3; `asked` has every point."""

    def __init__(self, params):
        self.params = params

    def predict(self, X):
        right = round(100 * (1 - abs(self.params["x"] - 0.3) / 2) - self.params["count"])
        wrong = np.arange(100) >= right
        return np.where(wrong, 1 - DATA.y, DATA.y)


class Workspace:
    def __init__(self, stop_at=None):
        self.asked, self.stop_at = [], stop_at

    def fit(self, params):
        self.asked.append(dict(params))
        if self.stop_at is not None and len(self.asked) >= self.stop_at:
            raise KeyboardInterrupt
        if params["x"] < -0.9:
            raise PointError("too far out")
        return Hill(params)


class Staged(Workspace):
    def partial_fits(self, params):
        self.asked.append(dict(params))
        for _ in range(4):
            yield Hill(params)


def spec(space=SPACE, name="hill"):
    return ClassifierSpec(
        name=name, title=name, search_space={"x": (0.0,)}, wide_space=space, prepare=lambda *a, **k: None
    )


def run(workspace, journal, trials, seed=42):
    return search(spec(), workspace, DATA, accuracy, journal=journal, seed=seed, advance=lambda n: None, trials=trials)


def test_points_lie_in_the_space_and_the_hill_is_climbed(tmp_path):
    workspace = Workspace()
    points = run(workspace, tmp_path / "s.h5", 40)
    assert [dict(p.params) for p in points] == workspace.asked
    assert len(points) == 40
    for point in points:
        params = point.params
        assert ("scale" in params) == (params["kind"] == "far")
        assert -1 <= params["x"] <= 1
        assert isinstance(params["count"], int)
        assert 1 <= params["count"] <= 9
        assert (point.score is None) == (params["x"] < -0.9)
    first, best = best_point(points[:8]), best_point(points)
    assert best.score >= max(first.score, 0.93)


def test_the_same_whatever_happens(tmp_path):
    whole = run(Workspace(), tmp_path / "whole.h5", 24)
    assert run(Workspace(), tmp_path / "again.h5", 24) == whole
    assert run(Workspace(), tmp_path / "other.h5", 24, seed=43) != whole
    workspace = Workspace()
    assert run(workspace, tmp_path / "whole.h5", 24) == whole
    assert workspace.asked == []
    longer = run(workspace, tmp_path / "whole.h5", 30)
    assert longer[:24] == whole
    assert longer == run(Workspace(), tmp_path / "fresh.h5", 30)
    assert len(workspace.asked) == 6
    assert run(Workspace(), tmp_path / "whole.h5", 10) == whole[:10]


@pytest.mark.parametrize("stop_at", [1, 5, 13])
def test_an_interrupted_search_goes_on_alike(tmp_path, stop_at):
    whole = run(Workspace(), tmp_path / "whole.h5", 16)
    with pytest.raises(KeyboardInterrupt):
        run(Workspace(stop_at), tmp_path / "s.h5", 16)
    workspace = Workspace()
    assert run(workspace, tmp_path / "s.h5", 16) == whole
    assert len(workspace.asked) == 16 - (stop_at - 1)


def test_poor_points_are_given_up_and_say_so(tmp_path):
    points = run(Staged(), tmp_path / "s.h5", 30)
    pruned = [p for p in points if p.score is None]
    assert pruned
    for point in pruned:
        assert point.pruned
        assert not point.failed
        assert "given up after stage" in point.reason
    assert best_point(points).score > 0.85


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 200))
def test_all_trials_are_dealt(sizes, trials):
    specs = [spec({str(i): (1, 2) for i in range(size)}, name) for name, size in sizes.items()]
    shares = allocate_trials(specs, trials)
    assert shares.keys() == sizes.keys()
    assert min(shares.values()) >= 1
    assert sum(shares.values()) == max(trials, sum(shares.values()))
    if trials >= 5 * len(sizes):
        assert sum(shares.values()) == trials


def test_classifiers_without_parameters_get_a_trial_each():
    specs = [replace(spec(), name=name, search_space={}, wide_space={}) for name in "ab"]
    assert min(allocate_trials(specs, 5).values()) >= 1


def test_the_protocol_says_how_it_was_tuned():
    protocol = with_tuner(PROTOCOLS["serab-released"], "tpe", 12)
    assert "optimistic" in protocol.caution
    assert "tuned by TPE in 12 trials" in protocol.caution
    assert with_trial_share(protocol, [spec(), spec(name="other")], "other").trials == 6
    assert with_tuner(PROTOCOLS["serab"], "grid", None) is PROTOCOLS["serab"]
    assert with_trial_share(PROTOCOLS["serab"], [spec()], "hill") is PROTOCOLS["serab"]
    with pytest.raises(UsageError, match="is only for the tuner tpe"):
        with_tuner(PROTOCOLS["serab"], "grid", 5)
    with pytest.raises(UsageError, match="no tuner 'random'"):
        with_tuner(PROTOCOLS["serab"], "random", None)
