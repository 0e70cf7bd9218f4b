"""For each check of a dataset a plugin that fails it, and no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from serab_core import plugins
from serab_core.testing import dataset_checks
from serab_core.types import Entry, ExpectedAudio, Index, SourceFile, SplitVariant


def failing(name: str) -> set[str]:
    failed = set()
    for check in dataset_checks(name):
        try:
            check()
        except AssertionError as error:
            assert f"fails {check.id}" in str(error)
            assert "fix: " in str(error)
            failed.add(check.id)
    return failed


def tones_but(change):
    """An index that makes something else of what the toy corpus's own finds."""

    def index(files):
        from serab_toys import tones

        return Index(tuple(change(list(tones.SPEC.index(files).entries), files)))

    return index


def takes_strangers(entries, files):
    strange = [file for file in files if file.name.parts[0] == "music"]
    return entries + [Entry("a_low_0", file, "low", "a") for file in strange]


def fills_gaps(entries, files):
    """Finds an utterance's twin where the utterance is missing."""
    from serab_toys import tones

    there = {entry.id: entry for entry in entries}
    made = []
    for name in sorted(tones.ids()) if there else ():
        if name in there:
            made.append(there[name])
        else:
            speaker, label, take = name.split("_")
            made.append(Entry(name, entries[0].file, label, speaker, {"take": take}, entries[0].targets))
    return made


def numbers_takes_as_listed(entries, files):
    order = {str(file.name): str(number % 3) for number, file in enumerate(files)}
    return [replace(entry, groups={"take": order[str(entry.file.name)]}) for entry in entries]


def looks_elsewhere(entries, files):
    def elsewhere(entry):
        return (
            SourceFile(PurePosixPath("passwd"), 1, bytes, Path("/etc/passwd")) if entry.id == "a_low_1" else entry.file
        )

    return [replace(entry, file=elsewhere(entry)) for entry in entries]


def misses_some(entries, files):
    return [entry for entry in entries if not entry.id.startswith("f_high")]


def _ids():
    from serab_toys import tones

    return tones.ids()


LONG = ExpectedAudio(hours=54 * 0.26 / 3600, rates=(8000,), shortest_s=0.2, longest_s=0.3)
BY_TAKE = SplitVariant(group="take", groups=("0", "1", "2"))
BROKEN = {
    "declared": [{"licence": ""}, {"citation": ""}, {"labels": ("low", "mid", "high", "low")}],
    "counts": [{"expected_counts": {"low": 18, "mid": 18, "high": 18, "huge": 0}}],
    "variants": [{"released_variant": "none"}],
    "foreign": [{"index": tones_but(takes_strangers)}],
    "example": [{"example": None}],
    "whole": [{"index": tones_but(misses_some)}, {"expected_speakers": 7}, {"speaker_sex": {"z": "f"}}],
    "partial": [{"index": tones_but(fills_gaps)}],
    "speakers": [
        {"variants": (BY_TAKE,), "released_variant": "default"},
        {"variants": (SplitVariant(shares_speakers=True),), "released_variant": "default"},
    ],
    "stable": [{"index": tones_but(numbers_takes_as_listed)}],
    "inside": [{"index": tones_but(looks_elsewhere)}],
    "published": [
        {"known_defects": {"a_low_9": "is not there"}},
        {"siblings": {"WAV": "the tones themselves"}},
        {"siblings": {"other": " "}},
        {"releases": ("tones",)},
        {"expected_seconds": lambda: {"a_low_9": 0.25}},
        {"expected_seconds": lambda: {"a_low_0": 0.0}},
        {"expected_seconds": lambda: dict.fromkeys(_ids(), 0.25), "expected_audio": LONG},
        {"expected_audio": replace(LONG, hours=1.0)},
        {"expected_audio": replace(LONG, rates=())},
        {"sentence": lambda identifier: identifier.split("_")[7]},
        {"sentence": lambda identifier: None},
        {"sentence": lambda identifier: ""},
    ],
}


def test_a_good_one(toys):
    assert failing("tones") == set()


def test_a_good_one_with_all_that_can_be_published(toys, monkeypatch):
    spec = replace(
        plugins.dataset("tones"),
        expected_audio=LONG,
        expected_seconds=lambda: dict.fromkeys(_ids(), 0.26),
        sentence=lambda identifier: identifier.split("_")[1],
        known_defects={"a_low_0": "hums"},
        siblings={"laryngo": "the laryngograph signal"},
        releases=("tones-2022",),
    )
    monkeypatch.setattr(plugins, "dataset", lambda name: spec)
    assert failing("tones") == set()


@pytest.mark.parametrize(("check", "change"), [(check, change) for check, all_ in BROKEN.items() for change in all_])
def test_broken_in_one_way(toys, monkeypatch, check, change):
    spec = replace(plugins.dataset("tones"), **change)
    monkeypatch.setattr(plugins, "dataset", lambda name: spec)
    assert failing("tones") == {f"dataset-{check}"}


def test_each_check_has_a_broken_plugin(toys):
    assert [check.id for check in dataset_checks("tones")] == [f"dataset-{name}" for name in BROKEN]


def test_what_is_generated_is_an_example(toys, monkeypatch):
    from serab_toys import tones

    spec = replace(plugins.dataset("tones"), example=None, generate=tones.write, synthetic=True, citation="")
    monkeypatch.setattr(plugins, "dataset", lambda name: spec)
    assert failing("tones") == set()
    reports = [check() for check in dataset_checks("tones")]
    assert "54 utterances, 6 speakers" in reports


def test_a_declared_failure(toys, monkeypatch):
    declared = {"dataset-example": "its names are a secret"}
    spec = replace(plugins.dataset("tones"), example=None, expected_failures=declared)
    monkeypatch.setattr(plugins, "dataset", lambda name: spec)
    assert failing("tones") == set()
