"""The conformance kit: good plugins pass, each kind of bad one fails the check that is about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serab_core import plugins
from serab_core.testing import classifier_checks, dataset_checks, extractor_checks
from serab_core.types import Entry, Index


def failing(checks) -> set[str]:
    failed = set()
    for check in checks:
        try:
            check()
        except AssertionError as error:
            assert f"fails {check.id}" in str(error)
            assert "fix: " in str(error)
            failed.add(str(check))
    return failed


def test_good_plugins_pass(toys):
    assert failing(extractor_checks("toy")) == set()
    assert failing(classifier_checks("centroid")) == set()
    assert failing(classifier_checks("knn")) == set()
    assert failing(dataset_checks("tones")) == set()


class Extractor:
    def __init__(self, how):
        self.how, self.calls = how, 0

    def embed(self, waveforms):
        self.calls += 1
        rows = np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)
        if self.how == "input":
            waveforms[0][:] = 0
        elif self.how == "random":
            rows += self.calls
        elif self.how == "batch":
            rows = rows - rows.mean(axis=0)
        elif self.how == "nan":
            rows[rows[:, 1] == 0] = np.nan
        elif self.how == "shape":
            rows = np.hstack([rows, rows])
        elif self.how == "type":
            return rows.tolist()
        elif self.how == "double":
            return rows.astype(float)
        return rows


@pytest.mark.parametrize(
    ("how", "check"),
    [
        ("input", "extractor-input-kept"),
        ("random", "extractor-repeatable"),
        ("batch", "extractor-batch-independent"),
        ("nan", "extractor-finite"),
        ("shape", "extractor-shape"),
        ("double", "extractor-shape"),
    ],
)
def test_bad_extractors(toys, monkeypatch, how, check):
    spec = replace(plugins.extractor("toy"), factory=lambda: Extractor(how), dim=2)
    monkeypatch.setattr(plugins, "extractor", lambda name: spec)
    assert check in failing(extractor_checks("toy"))


def test_an_extractor_without_a_licence(toys, monkeypatch):
    spec = replace(plugins.extractor("toy"), licence=" ")
    monkeypatch.setattr(plugins, "extractor", lambda name: spec)
    assert failing(extractor_checks("toy")) == {"extractor-identity"}


def test_bad_classifiers(toys, monkeypatch):
    assert "classifier-learns" in failing(list(classifier_checks("never"))[:3])
    spec = replace(plugins.classifier("knn"), search_space={})
    monkeypatch.setattr(plugins, "classifier", lambda name: spec)
    grid = next(classifier_checks("knn"))
    grid()  # the empty product is one point without parameters
    spec = replace(spec, search_space={"k": (1, 1)})
    assert failing([next(classifier_checks("knn"))]) == {"classifier-grid"}


def test_declared_failures_must_fail(toys, monkeypatch):
    declared = {"classifier-learns": "it never fits", "classifier-learns-wide": "likewise"}
    never = replace(plugins.classifier("never"), expected_failures=declared)
    monkeypatch.setattr(plugins, "classifier", lambda name: never)
    assert failing(c for c in classifier_checks("never") if "learns" in c.id) == set()
    stale = replace(never, expected_failures={"classifier-grid": "no longer true"})
    monkeypatch.setattr(plugins, "classifier", lambda name: stale)
    with pytest.raises(AssertionError, match="passes classifier-grid, which its expected_failures names"):
        next(classifier_checks("never"))()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"licence": ""}, "dataset-declared"),
        ({"labels": ("low",)}, "dataset-declared"),
        ({"expected_counts": {"low": 1}}, "dataset-counts"),
        ({"expected_ids": lambda: frozenset({"a"})}, "dataset-counts"),
        ({"released_variant": "none"}, "dataset-variants"),
        ({"index": lambda files: Index(tuple(Entry(f.name.stem, f, "low", "a") for f in files))}, "dataset-foreign"),
    ],
)
def test_bad_datasets(toys, monkeypatch, change, check):
    spec = replace(plugins.dataset("tones"), **change)
    monkeypatch.setattr(plugins, "dataset", lambda name: spec)
    assert check in failing(dataset_checks("tones"))
