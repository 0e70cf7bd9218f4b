"""The split rule against the published splits, and as a property of any corpus."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serab_core.data.protocols import PROTOCOLS, SPLIT_PROTOCOLS, SUITE, find_protocol
from serab_core.data.splits import crossing_speakers, draw_groups
from serab_core.errors import UnknownNameError

# Reference section 1.4: groups -> train, validation, test
CUTS = {4: (2, 1, 1), 5: (3, 1, 1), 6: (3, 1, 2), 10: (6, 2, 2), 12: (7, 2, 3), 24: (14, 5, 5), 87: (52, 17, 18)}


@pytest.mark.parametrize("count", CUTS)
def test_sizes(count):
    drawn = list(draw_groups(f"{i:03d}" for i in range(count)).values())
    assert tuple(drawn.count(split) for split in ("train", "validation", "test")) == CUTS[count]


def test_crema_d_sizes_and_emodb_by_name():
    drawn = list(draw_groups((str(1001 + i) for i in range(91)), (0.7, 0.1, 0.2)).values())
    assert tuple(drawn.count(split) for split in ("train", "validation", "test")) == (63, 9, 19)
    emodb = draw_groups(["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"] * 3)
    assert [g for g, split in emodb.items() if split == "train"] == ["09", "15", "11", "16", "08", "13"]
    assert [g for g, split in emodb.items() if split == "validation"] == ["14", "10"]
    assert [g for g, split in emodb.items() if split == "test"] == ["03", "12"]


def test_all_published_splits(shared):
    published = json.loads((shared / "reference" / "splits.json").read_text())
    assert sorted(published) == sorted(SUITE)
    for name, entry in published.items():
        for variant in filter(None, (entry, entry.get("speaker_fixed"))):
            expected = {group: split for split, groups in variant["splits"].items() for group in groups}
            ratios = (0.7, 0.1, 0.2) if name == "crema_d" else (0.6, 0.2, 0.2)
            assert draw_groups(sorted(expected, reverse=True), ratios) == expected, name


@given(st.sets(st.text(min_size=1, max_size=4), min_size=1, max_size=60), st.randoms())
def test_any_groups_are_cut_once_whatever_their_order(groups, random):
    order = list(groups)
    random.shuffle(order)
    drawn = draw_groups(order)
    assert drawn.keys() == groups
    assert drawn == draw_groups(sorted(groups))
    if len(groups) >= 5:
        assert set(drawn.values()) == {"train", "validation", "test"}


def test_crossing_speakers():
    speakers = {"u1": "a", "u2": "a", "u3": "b", "u4": "c"}
    assert crossing_speakers(speakers, {"u1": "train", "u2": "test", "u3": "train"}) == {"a": ("train", "test")}
    assert crossing_speakers(speakers, {"u1": "train", "u2": "train", "u4": "test"}) == {}


def test_protocols():
    assert [p.name for p in SPLIT_PROTOCOLS] == ["serab", "serab-released", "strict"]
    assert all(bool(p.caution) == (p.selection == "test") for p in PROTOCOLS.values())
    with pytest.raises(UnknownNameError, match="Did you mean 'strict'"):
        find_protocol("stritc")
