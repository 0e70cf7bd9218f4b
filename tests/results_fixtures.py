"""Results made by hand, and a home that holds some."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest

from serab_core.score.outcome import scores_of
from serab_core.store.results import result_path, write_result
from serab_core.types import ClassifierOutcome, Point, Predictions, TaskResult


def outcome(name: str, truth, predicted, ids, validation: float = 0.5) -> ClassifierOutcome:
    test = Predictions(tuple(ids), tuple(truth), tuple(predicted))
    return ClassifierOutcome(name, name.upper(), (Point({}, validation),), {}, validation, test, scores_of(test))


def provenance(extractor: str, task: str) -> dict:
    """As a run notes it down, as far as reports look."""
    return {
        "serab": "0.1.0", "python": "3.11.7", "libraries": {"numpy": "2.4.6"}, "plugins": {"serab-x": "1"},
        "fingerprint": {"extractor": extractor, "dim": 10 + 90 * len(extractor)}, "summary": f"what {extractor} is",
        "licence": "MIT", "citation": f"@misc{{{extractor}}}", "seeds": {"split": 0},
        "command": ["serab", "eval", extractor],
        "dataset": {"title": f"Corpus {task}", "digest": "d" * 64, "variant": "default", "licence": "CC BY",
                    "citation": "@misc{c}"},
        "protocol": {"name": "serab", "tuner": "grid", "classifiers": ["lda"], "classifiers_by": "protocol"},
        "machine": {"system": "Linux", "processor": "x", "cores": 2},
    }  # fmt: skip


@pytest.fixture
def store_result(home):
    """`store_result(result)` puts a result into the home."""

    def store(result: TaskResult):
        path = result_path(home.ensure(), result.extractor, result.task, result.protocol, result.key + "0" * 16)
        write_result(path, result)
        return path

    return store


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
        key = sha256(f"{extractor}-{task}".encode()).hexdigest()
        return TaskResult(
            extractor=extractor, task=task, language="zxx", protocol="serab", variant="default",
            counts={"train": 2 * n, "validation": n, "test": n}, chosen="lda", scores=made.scores,
            outcomes=(made,), synthetic=synthetic, partial=partial, cautions=(), key=key,
            provenance=provenance(extractor, task), speakers={i: f"s{k // each}" for k, i in enumerate(ids)}, **more,
        )  # fmt: skip

    return make
