"""The lists of utterances, compared with the rules for names, the counts of the reference, and published splits."""

from __future__ import annotations

import csv
import itertools
import json
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from serab_plugin_datasets import aesdd, cafe, crema_d, emovo, ravdess, savee, shemo, subesco
from serab_plugin_datasets._lists import read_list

from serab_core import SourceFile, plugins
from serab_core.data.prepare import cut
from serab_core.data.splits import draw_groups

SHARED = Path(__file__).parents[4] / "shared"
LISTED = ("aesdd", "cafe", "crema_d", "emodb", "emovo", "ravdess", "savee", "shemo", "shemo-2022", "subesco")
COUNTS = {  # train, validation, test
    ("aesdd", "default"): (298, 99, 207),
    ("cafe", "default"): (546, 156, 234),
    ("cafe", "without_neutral"): (504, 144, 216),
    ("crema_d", "default"): (5144, 738, 1556),
    ("emodb", "default"): (344, 107, 84),
    ("emovo", "default"): (294, 98, 196),
    ("ravdess", "default"): (840, 300, 300),
    ("savee", "default"): (240, 120, 120),
    ("shemo", "default"): (1696, 566, 738),
    ("shemo", "as_released"): (2070, 558, 372),
    ("subesco", "default"): (4200, 1400, 1400),
}


def aesdd_ids() -> set[str]:
    """Return the names: six speakers say twenty sentences in five emotions; a few are missing or repeated."""
    ids = {f"{e}{s:02d} ({p})" for e in aesdd.LABELS for s in range(1, 21) for p in range(1, 7)}
    lost = {"d18 (5)", "f02 (4)", "h11 (3)", "s01 (5)", "s05 (3)"}
    twice = {"a06 (5)b", "d01 (5)b", "d03 (5)b", "d04 (5)b", "f18 (5)b", "s01 (5)a", "s01 (5)b", "s02 (5)b", "s04 (5)b"}
    return ids - lost | twice


def crema_d_ids() -> set[str]:
    """Twelve sentences in six emotions, one of them in three intensities; 20 do not exist, TFDS omits 4."""
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
    """Return the names: 24 actors, two statements twice, eight emotions in two intensities, neutral in one."""
    fields = itertools.product(ravdess.LABELS, ("01", "02"), ("01", "02"), ("01", "02"), ravdess.SPEAKERS)
    return {f"03-01-{e}-{i}-{s}-{r}-{a}" for e, i, s, r, a in fields if (e, i) != ("01", "02")}


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
    "subesco": lambda: {
        f"{sex.upper()}_{place % 10 + 1:02d}_{name}_S_{sentence}_{code}_{take}"
        for (place, (name, sex)), sentence, code, take in itertools.product(
            enumerate(subesco.SPEAKERS.items()), range(1, 11), subesco.LABELS, range(1, 6)
        )
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
    for name in set(LISTED) & set(published) - {"shemo"}:  # see test_released_variants
        rows = read_list(name)
        assert Counter(row.split for row in rows) == published[name]["counts"]
        for split, members in published[name]["splits"].items():
            assert {row.speaker for row in rows if row.split == split} == set(members), name


def public(name: str) -> list[dict[str, str]]:
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    with (SHARED / "reference" / "names" / f"{name}.csv").open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_iem4s_list_tells_what_names_tell_and_no_label():
    rows = read_list("iem4")
    assert [row.utterance for row in rows] == sorted({row.utterance for row in rows})
    assert {row.label for row in rows} == {""}
    assert all(row.speaker == row.utterance[3:5] + row.utterance.rpartition("_")[2][0] for row in rows)
    drawn = draw_groups({row.speaker for row in rows})
    assert all(row.split == drawn[row.speaker] for row in rows)
    assert Counter(row.split for row in rows) == {"train": 3329, "validation": 1045, "test": 1157}


@pytest.mark.parametrize("name", ["shemo", "shemo-2022", "subesco", "iem4"])
def test_a_list_has_every_public_name(name):
    names = {row["stem"].rstrip("]") for row in public("shemo-2019" if name == "shemo" else name)}
    assert plugins.dataset(name).expected_ids() == names


def test_shemos_releases_share_2838_names_and_the_label_is_the_names_letter():
    ids = {name: plugins.dataset(name).expected_ids() for name in ("shemo", "shemo-2022")}
    assert len(ids["shemo"] & ids["shemo-2022"]) == 2838
    for name, count in (("shemo", 3000), ("shemo-2022", 3000)):
        rows = read_list(name)
        assert len(rows) == count
        assert all(row.label == shemo.LABELS[row.utterance[3]] for row in rows)
        assert {row.speaker for row in rows} == set(shemo.SPEAKERS)
    assert {name[4:] for name in ids["shemo"]} == set(shemo.NUMBERS)


@pytest.mark.parametrize("name", ["subesco", "iem4"])
def test_published_lengths_add_up_to_the_published_hours(name):
    spec = plugins.dataset(name)
    seconds = spec.expected_seconds()
    assert set(seconds) == spec.expected_ids()
    assert sum(seconds.values()) / 3600 == pytest.approx(spec.expected_audio.hours, abs=1e-4)
    # Lists round to the millisecond.
    assert min(seconds.values()) == pytest.approx(spec.expected_audio.shortest_s, abs=2e-3)
    assert max(seconds.values()) == pytest.approx(spec.expected_audio.longest_s, abs=2e-3)


@pytest.mark.parametrize("name", ["subesco", "iem4"])
def test_published_lengths_are_those_of_the_public_list(name):
    lengths = {row["stem"].rstrip("]"): float(row["seconds"]) for row in public(name)}
    assert plugins.dataset(name).expected_seconds() == lengths


AUDIO = {  # hours and mean length as the protocol's reference rounds them
    "aesdd": (0.69, 4.10), "cafe": (1.16, 4.44), "crema_d": (5.25, 2.54), "emodb": (0.41, 2.78), "emovo": (0.51, 3.12),
    "iem4": (6.99, 4.55), "ravdess": (1.48, 3.70), "savee": (0.51, 3.84), "shemo": (3.42, 4.10),
    "subesco": (7.83, 4.03),
}  # fmt: skip


@pytest.mark.parametrize("name", AUDIO)
def test_expected_audio(name):
    spec = plugins.dataset(name)
    audio, (hours, mean) = spec.expected_audio, AUDIO[name]
    assert audio.hours == pytest.approx(hours, abs=0.006)
    assert audio.hours * 3600 / len(spec.expected_ids()) == pytest.approx(mean, abs=0.01)
    assert audio.shortest_s < mean < audio.longest_s
    published = json.loads((SHARED / "reference" / "durations.json").read_text()) if SHARED.is_dir() else {}
    figures = published.get({"crema_d": "cremad", "iem4": "iemocap"}.get(name, name))
    if figures:
        assert audio.rates == tuple(sorted(map(int, figures["rates"])))
        assert (audio.shortest_s, audio.longest_s) == (figures["shortest_s"], figures["longest_s"])
        if name not in ("crema_d", "shemo"):
            assert audio.hours == figures["hours"]


def test_crema_ds_hours_are_those_of_the_7438():
    rows = public("crema_d-files")
    seconds = {row["name"].removesuffix(".wav"): (int(row["size"]) - 44) / 32000 for row in rows}
    hours = sum(length for name, length in seconds.items() if name not in crema_d.LEFT_OUT) / 3600
    assert plugins.dataset("crema_d").expected_audio.hours == pytest.approx(hours, abs=1e-4)


def test_crema_ds_contradictions_are_pairs_of_equal_files():
    by_hash: dict[str, set[str]] = {}
    for row in public("crema_d-files"):
        by_hash.setdefault(row["sha256"], set()).add(row["name"].removesuffix(".wav"))
    pairs = {frozenset(names) for names in by_hash.values() if len(names) > 1}
    assert pairs == {frozenset(pair) for pair in crema_d.CONTRADICTIONS.items()}


SENTENCES = {  # an utterance, its sentence, and how many there are
    "aesdd": ("a03 (4)", "03", 20),
    "cafe": ("01-C-2-6", "6", 6),
    "crema_d": ("1001_DFA_ANG_XX", "DFA", 12),
    "emodb": ("03a01Fa", "a01", 10),
    "emovo": ("rab-f1-b1", "b1", 14),
    "ravdess": ("03-01-06-01-02-01-12", "02", 2),
    "subesco": ("F_01_OISHI_S_10_ANGRY_1", "10", 10),
}


@pytest.mark.parametrize("name", LISTED)
def test_sentences(name):
    sentence = plugins.dataset(name).sentence
    if name not in SENTENCES:
        assert sentence is None
        return
    utterance, code, count = SENTENCES[name]
    assert sentence(utterance) == code
    assert len({sentence(identifier) for identifier in plugins.dataset(name).expected_ids()}) == count
