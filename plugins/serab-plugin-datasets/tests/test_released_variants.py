"""ShEMO and IEM4 in full size with their true names: splits by true speaker, and splits of the released code."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from serab_plugin_datasets._lists import read_list

from serab_core import SourceFile, plugins
from serab_core.data.prepare import cut
from serab_core.data.splits import crossing_speakers

SHARED = Path(__file__).parents[4] / "shared"
SPLITS = ("train", "validation", "test")
SHEMO = {"default": (1696, 566, 738), "as_released": (2070, 558, 372)}
IEM4 = {"default": (3329, 1045, 1157), "as_released": (3413, 996, 1122)}
EXPECTED = {"shemo": SHEMO, "iem4": IEM4}


def indexed(name: str):
    """Return the index with the true names; the labels of IEM4 are invented, because only the corpus has them."""
    files = plugins.dataset(name).example()
    return plugins.dataset(name).index(
        [SourceFile(PurePosixPath(path), 1, lambda path=path: files[path], archive="made") for path in files]
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_splits_of_the_real_names(name):
    spec, index = plugins.dataset(name), indexed(name)
    assert {e.id for e in index.entries} == spec.expected_ids()
    assert Counter(e.label for e in index.entries) == spec.expected_counts
    speakers = {e.id: e.speaker for e in index.entries}
    assert len(set(speakers.values())) == spec.expected_speakers
    for variant, counts in EXPECTED[name].items():
        splits = {i: split for i, (_, split) in cut(spec.variant(variant), index, spec).items()}
        assert tuple(Counter(splits.values())[split] for split in SPLITS) == counts
        if variant == "default":
            assert splits == {row.utterance: row.split for row in read_list(name)}
        assert bool(crossing_speakers(speakers, splits)) == (variant == "as_released")
        if (name, variant) == ("iem4", "as_released"):
            tested = {speakers[i] for i, split in splits.items() if split == "test"}
            assert tested <= {speakers[i] for i, split in splits.items() if split == "train"}


def test_the_test_set_of_shemo_as_released_has_no_fear():
    spec, index = plugins.dataset("shemo"), indexed("shemo")
    assigned = cut(spec.variant("as_released"), index, spec)
    tested = Counter(e.label for e in index.entries if assigned[e.id][1] == "test")
    assert tested == {"anger": 165, "neutral": 137, "sadness": 49, "surprise": 11, "happiness": 10}


@pytest.mark.parametrize("name", EXPECTED)
def test_published_groups(name):
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    published = json.loads((SHARED / "reference" / "splits.json").read_text())[name]
    spec, index = plugins.dataset(name), indexed(name)
    for variant, expected in (("as_released", published), ("default", published["speaker_fixed"])):
        groups = dict(cut(spec.variant(variant), index, spec).values())
        assert groups == {group: split for split, members in expected["splits"].items() for group in members}
        counts = Counter(split for _, split in cut(spec.variant(variant), index, spec).values())
        assert counts == expected["counts"]
