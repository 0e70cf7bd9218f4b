"""Every grid point on EmoDB, compared with results of scikit-learn that another program stored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from serab_core import plugins
from serab_core.score.metrics import accuracy
from serab_core.tune.normalise import per_speaker
from serab_core.tune.points import best_point, fit_and_predict
from serab_core.tune.study import search
from serab_core.types import Examples

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
SETS = {"byols": "byol_s_512", "byola": "byol_a_512", "compare": "compare_2016"}
TOLERANCE = {"LDA": 0, "SVC": 0, "LR": 1, "RF": 0}


@pytest.fixture(scope="module")
def golden():
    if not GOLDEN.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    return np.load(GOLDEN / "emodb_features.npz"), json.loads((GOLDEN / "emodb_grid.json").read_text())


# RF on compare_2016 is not in the golden file.
PAIRS = [(name, classifier) for name in SETS for classifier in TOLERANCE if (name, classifier) != ("compare", "RF")]


@pytest.mark.parametrize(("features", "classifier"), PAIRS)
def test_grid(golden, tmp_path, features, classifier):
    arrays, expected = golden
    wanted = expected[features][classifier]
    splits = np.select([arrays["train"], arrays["validation"]], ["train", "validation"], "test")
    X = per_speaker(arrays[SETS[features]], arrays["speaker"], splits)
    names, y = np.unique(arrays["label"], return_inverse=True)
    train, validation, test = (
        Examples(X[splits == s], y[splits == s], len(names)) for s in ("train", "validation", "test")
    )
    spec = plugins.classifier(classifier.lower())
    workspace = spec.prepare(train, validation, seed=42)
    points = search(spec, workspace, validation, accuracy, journal=tmp_path / "s.h5", seed=42, advance=lambda n: None)
    count = len(validation.y)
    ours = {json.dumps(p.params, sort_keys=True): round(p.score * count) for p in points}
    theirs = {
        json.dumps(p["params"], sort_keys=True): round(p["validation_accuracy"] * count) for p in wanted["points"]
    }
    assert ours.keys() == theirs.keys()
    off = [abs(ours[key] - theirs[key]) for key in ours]
    assert max(off) <= TOLERANCE[classifier]
    assert sum(o > 0 for o in off) <= len(off) // 10
    best = best_point(points)
    if max(off) == 0:
        assert dict(best.params) == wanted["best"]
    predicted = names[fit_and_predict(workspace.refit, best.params, test)]
    differing = sum(a != b for a, b in zip(predicted, wanted["test_predictions"], strict=True))
    assert differing <= (3 if classifier == "RF" else 1)
