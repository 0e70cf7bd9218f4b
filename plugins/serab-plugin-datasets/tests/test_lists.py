"""The lists of utterances against the rules that make their names, the reference's counts and the published splits."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from serab_plugin_datasets import aesdd, cafe, crema_d, emovo, ravdess, savee
from serab_plugin_datasets._lists import read_list

from serab_core import SourceFile, plugins
from serab_core.data.prepare import cut
from serab_core.data.splits import draw_groups

SHARED = Path(__file__).parents[4] / "shared"
LISTED = ("aesdd", "cafe", "crema_d", "emodb", "emovo", "ravdess", "savee")
COUNTS = {  # reference section 1.4: train, validation, test
    ("aesdd", "default"): (298, 99, 207),
    ("cafe", "default"): (546, 156, 234),
    ("cafe", "without_neutral"): (504, 144, 216),
    ("crema_d", "default"): (5144, 738, 1556),
    ("emodb", "default"): (344, 107, 84),
    ("emovo", "default"): (294, 98, 196),
    ("ravdess", "default"): (840, 300, 300),
    ("savee", "default"): (240, 120, 120),
}


def aesdd_ids() -> set[str]:
    """Six speakers say twenty sentences in five emotions; a few were lost or spoken twice."""
    ids = {f"{e}{s:02d} ({p})" for e in aesdd.LABELS for s in range(1, 21) for p in range(1, 7)}
    lost = {"d18 (5)", "f02 (4)", "h11 (3)", "s01 (5)", "s05 (3)"}
    twice = {"a06 (5)b", "d01 (5)b", "d03 (5)b", "d04 (5)b", "f18 (5)b", "s01 (5)a", "s01 (5)b", "s02 (5)b", "s04 (5)b"}
    return ids - lost | twice


def crema_d_ids() -> set[str]:
    """Twelve sentences in six emotions, one of them in three strengths; 20 were never recorded, TFDS leaves out 4."""
    plain = ("TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
    clips = {f"{text}_{code}_XX" for text in plain for code in crema_d.LABELS} | {"IEO_NEU_XX"}
    clips |= {f"IEO_{code}_{level}" for code in set(crema_d.LABELS) - {"NEU"} for level in ("LO", "MD", "HI")}
    never = {f"{who}_{code}_XX" for who in ("1008_WSI", "1009_MTI", "1019_ITH") for code in crema_d.LABELS}
    never |= {"1002_TIE_NEU_XX", "1076_ITS_NEU_XX"}
    assert len(clips) == 82
    released = {f"{speaker}_{clip}" for speaker in crema_d.SPEAKERS for clip in clips} - never
    assert len(released) == 7442
    assert released >= set(crema_d.LEFT_OUT)
    return released - set(crema_d.LEFT_OUT)


def ravdess_ids() -> set[str]:
    """24 actors, two statements twice, eight emotions in two intensities, neutral in one."""
    parts = itertools.product(ravdess.LABELS, ("01", "02"), ("01", "02"), ("01", "02"), ravdess.SPEAKERS)
    return {f"03-01-{e}-{i}-{s}-{r}-{a}" for e, i, s, r, a in parts if (e, i) != ("01", "02")}


RULES = {
    "aesdd": aesdd_ids,
    "cafe": lambda: {
        f"{actor}-{letter}-{strength}-{sentence}"
        for actor, letter, strength, sentence in itertools.product(cafe.SPEAKERS, cafe.LABELS, "12", "123456")
        if (letter, strength) != ("N", "2")
    },
    "crema_d": crema_d_ids,
    "emovo": lambda: {"-".join(p) for p in itertools.product(emovo.LABELS, emovo.SPEAKERS, emovo.SENTENCES)},
    "ravdess": ravdess_ids,
    "savee": lambda: {
        f"{speaker}_{code}{number:02d}"
        for speaker, code, number in itertools.product(savee.SPEAKERS, savee.LABELS, range(1, 31))
        if code == "n" or number <= 15
    },
}


@pytest.mark.parametrize("name", LISTED)
def test_a_list_is_what_the_rules_of_its_corpus_make(name):
    rows = read_list(name)
    ids = [row.utterance for row in rows]
    assert ids == sorted(set(ids))
    if name in RULES:
        assert set(ids) == RULES[name]()
    spec = plugins.dataset(name)
    assert spec.expected_ids() == set(ids)
    drawn = draw_groups({row.speaker for row in rows}, spec.variants[0].ratios)
    assert all(row.split == drawn[row.speaker] for row in rows)
    index = spec.index([SourceFile(path_of(name, i), 1, bytes) for i in ids])
    assert [(e.id, e.label, e.speaker) for e in index.entries] == [row[:3] for row in rows]


def path_of(name: str, identifier: str) -> PurePosixPath:
    return PurePosixPath(identifier[:2] if name == "savee" else "", f"{identifier[3 * (name == 'savee') :]}.wav")


@pytest.mark.parametrize(("name", "variant"), COUNTS)
def test_counts_of_the_reference(name, variant):
    spec = plugins.dataset(name)
    rows = read_list(name)
    assert Counter(row.label for row in rows) == spec.expected_counts
    assert len({row.speaker for row in rows}) == spec.expected_speakers
    index = spec.index([SourceFile(path_of(name, row.utterance), 1, bytes) for row in rows])
    splits = Counter(split for _, split in cut(spec.variant(variant), index, spec).values())
    assert (splits["train"], splits["validation"], splits["test"]) == COUNTS[name, variant]


def test_lists_have_the_published_groups_and_counts():
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    published = json.loads((SHARED / "reference" / "splits.json").read_text())
    for name in LISTED:
        rows = read_list(name)
        assert Counter(row.split for row in rows) == published[name]["counts"]
        for split, members in published[name]["splits"].items():
            assert {row.speaker for row in rows if row.split == split} == set(members), name
