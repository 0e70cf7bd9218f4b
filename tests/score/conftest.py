"""Results made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from serab_core.types import ClassifierOutcome, Point, Predictions, TaskResult


def outcome(name: str, truth, predicted, ids, validation: float = 0.5) -> ClassifierOutcome:
    right = np.mean(np.array(truth) == np.array(predicted))
    test = Predictions(tuple(ids), tuple(truth), tuple(predicted))
    return ClassifierOutcome(
        name, name.upper(), (Point({}, validation),), {}, validation, test, float(right), float(right)
    )


@pytest.fixture
def make_result():
    """`make_result("x", "emodb", share)`: a result with so many utterances told right, four classes, by speaker."""

    def make(
        extractor, task, right, *, speakers=8, each=12, seed=0, synthetic=False, partial=False, **more
    ) -> TaskResult:
        rng = np.random.default_rng(seed)
        n = speakers * each
        ids = [f"{task}{i:04d}" for i in range(n)]
        truth = ["abcd"[i % 4] for i in range(n)]
        told = [t if rng.random() < right else "abcd"[("abcd".index(t) + 1) % 4] for t in truth]
        made = outcome("lda", truth, told, ids)
        return TaskResult(
            extractor=extractor, task=task, language="zxx", protocol="serab", variant="default",
            counts={"train": 2 * n, "validation": n, "test": n}, chosen="lda", accuracy=made.accuracy, uar=made.uar,
            outcomes=(made,), synthetic=synthetic, partial=partial, cautions=(), key=f"{extractor}-{task}",
            provenance={}, speakers={i: f"s{k // each}" for k, i in enumerate(ids)}, **more,
        )  # fmt: skip

    return make
