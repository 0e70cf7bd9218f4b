"""The conformance kit: good plugins pass, each kind of bad one fails the check that is about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serab_core import plugins
from serab_core.testing import classifier_checks


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


def test_declared_failures_must_fail(toys, monkeypatch):
    declared = {"classifier-learns": "it never fits", "classifier-learns-wide": "likewise"}
    never = replace(plugins.classifier("never"), expected_failures=declared)
    monkeypatch.setattr(plugins, "classifier", lambda name: never)
    assert failing(c for c in classifier_checks("never") if "learns" in c.id) == set()
    stale = replace(never, expected_failures={"classifier-grid": "no longer true"})
    monkeypatch.setattr(plugins, "classifier", lambda name: stale)
    with pytest.raises(AssertionError, match="passes classifier-grid, which expected_failures of its spec names"):
        classifier_checks("never")[0]()


def test_specs_are_checked_as_names_are(toys):
    """A spec that no plugin registers: what other processes would have to find by name is not applicable."""
    from dataclasses import replace

    from serab_core.testing import dataset_checks, extractor_checks

    spec = replace(plugins.extractor("toy"), name="by hand")
    reports = {check.id: check() for check in extractor_checks(spec)}
    assert reports["extractor-shape"] == ""
    alone = [name for name, report in reports.items() if "no plugin registers the extractor" in report]
    assert alone == [check.id for check in extractor_checks(spec) if check.starts_processes]
    assert {check.subject for check in extractor_checks(spec)} == {"by hand"}
    assert failing(dataset_checks(plugins.dataset("tones"))) == set()
    assert failing(classifier_checks(plugins.classifier("knn"))) == set()
