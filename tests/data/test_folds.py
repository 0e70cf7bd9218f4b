"""Folds: every speaker in one split, every speaker tested, and the same folds for the same speakers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serab_core.data.folds import balanced_order, count_draws, fold_tasks, make_folds, validation_units
from serab_core.data.integrity import fold_notices
from serab_core.data.protocols import PROTOCOLS, find_protocol, protocol_options
from serab_core.data.splits import crossing_speakers, draw_groups
from serab_core.errors import DataError, UnknownNameError, UsageError
from serab_core.types import SPLITS

RATIOS = (0.6, 0.2, 0.2)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)
speakers = st.sets(names, min_size=3, max_size=30).map(sorted)


def folds_of(name, people, sexes=None, corpus_folds=None, ratios=RATIOS):
    return make_folds(
        find_protocol(name), people, sexes=sexes or {}, corpus_folds=corpus_folds or {}, ratios=ratios, where="toy"
    )


def assert_sound(folds, people):
    """Every fold assigns every speaker once, and has a speaker in each split."""
    assert len({fold.name for fold in folds}) == len(folds)
    for fold in folds:
        assert sorted(fold.splits) == sorted(people)
        assert set(fold.splits.values()) == set(SPLITS)


@given(speakers, st.integers(1, 6), st.data())
def test_every_speaker_is_tested_once(people, held_out, data):
    sexes = data.draw(st.fixed_dictionaries({}, optional={name: st.sampled_from("fm") for name in people}))
    name = f"loso+k={held_out}"
    if len(people) - held_out < 2:
        with pytest.raises(UsageError, match="left out"):
            folds_of(name, people, sexes)
        return
    folds = folds_of(name, people, sexes)
    assert_sound(folds, people)
    assert Counter(s for fold in folds for s in fold.test_speakers) == dict.fromkeys(people, 1)
    assert len(folds) == -(-len(people) // held_out)
    sizes = [len(fold.test_speakers) for fold in folds]
    assert max(sizes) <= held_out
    assert max(sizes) - min(sizes) <= 1
    if held_out == 1:  # each speaker validates equally often
        assert (
            len(set(Counter(s for f in folds for s, split in f.splits.items() if split == "validation").values())) == 1
        )
    assert folds == folds_of(name, [*reversed(people), *people], sexes)


@given(speakers)
def test_women_and_men_are_spread_evenly(people):
    sexes = {name: "fm"[place % 3 == 0] for place, name in enumerate(people)}
    order = balanced_order(people, sexes)
    assert sorted(order) == people
    share = sum(sex == "m" for sex in sexes.values()) / len(people)
    men = 0
    for place, name in enumerate(order, start=1):
        men += sexes[name] == "m"
        assert abs(men - share * place) <= 1.0
    if len(people) % 2 == 0:
        halves = {name: "fm"[place % 2] for place, name in enumerate(people)}
        for fold in folds_of("loso+k=2", people, halves) if len(people) >= 4 else ():
            assert sorted(halves[name] for name in fold.test_speakers) == ["f", "m"]


@given(speakers, st.integers(2, 6), st.randoms(use_true_random=False))
def test_folds_of_the_corpus(people, count, random):
    order = list(people)
    random.shuffle(order)
    units = {name: f"session {place % count + 1}" for place, name in enumerate(order)}
    sizes = Counter(units.values())
    if len(sizes) < 2 or len(people) - max(sizes.values()) < 2:
        with pytest.raises(UsageError):
            folds_of("folds", people, corpus_folds={name: [unit] for name, unit in units.items()})
        return
    folds = folds_of("folds", people, corpus_folds={name: [unit] for name, unit in units.items()})
    assert_sound(folds, people)
    assert [fold.name for fold in folds] == sorted(sizes)
    for fold in folds:
        assert {units[name] for name in fold.test_speakers} == {fold.name}
        if len(folds) > 2:  # a session is never divided
            assert all(len({fold.splits[name] for name in people if units[name] == unit}) == 1 for unit in sizes)


@given(speakers, st.integers(1, 40))
def test_draws_differ_and_follow_the_rule(people, count):
    folds = folds_of(f"repeated+draws={count}", people)
    assert_sound(folds, people)
    first = draw_groups(people, RATIOS)
    sizes = [list(first.values()).count(split) for split in SPLITS]
    assert len({tuple(sorted(fold.splits.items())) for fold in folds}) == len(folds)
    assert len(folds) == min(count, count_draws(sizes))
    for fold in folds:
        assert [list(fold.splits.values()).count(split) for split in SPLITS] == sizes
    assert dict(folds[0].splits) == draw_groups(people, RATIOS, seed=1)
    assert folds[: len(folds) // 2] == folds_of(f"repeated+draws={max(1, len(folds) // 2)}", people)[: len(folds) // 2]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_the_number_of_draws(sizes):
    expected, left = 1, sum(sizes)
    for size in sizes:
        expected *= comb(left, size)
        left -= size
    assert count_draws(sizes) == expected


def test_the_share_that_validates():
    assert [validation_units(count) for count in (2, 3, 4, 5, 9, 23, 90)] == [1, 1, 1, 1, 2, 6, 22]


def test_names_of_folds_stay_distinct():
    people = ["a", "b", "a, b", "c", "d"]
    assert_sound(folds_of("loso+k=2", people), people)


def test_equal_folds_share_their_studies(prepared_tones):
    few, many = (fold_tasks(prepared_tones.task(find_protocol(f"repeated+draws={count}"))) for count in (3, 5))
    assert [one.digest for one in few] == [one.digest for one in many[:3]]
    assert len({one.digest for one in many}) == 5


def test_ratios_are_those_of_the_corpus():
    people = [str(place) for place in range(91)]
    (fold,) = folds_of("repeated+draws=1", people, ratios=(0.7, 0.1, 0.2))
    assert Counter(fold.splits.values()) == {"train": 63, "validation": 9, "test": 19}


@pytest.mark.parametrize("name", ["loso", "repeated", "folds"])
def test_too_few_speakers(name):
    with pytest.raises(UsageError, match="needs three"):
        folds_of(name, ["a", "b"])


def test_folds_that_cannot_be_used():
    people = list("abcdef")
    with pytest.raises(UsageError, match="defines no folds"):
        folds_of("folds", people)
    with pytest.raises(UsageError, match="defines no folds"):
        folds_of("folds", people, corpus_folds={name: [""] for name in people})
    with pytest.raises(DataError, match=r"a: 1, 2"):
        folds_of("folds", people, corpus_folds={name: ["1"] for name in people} | {"a": ["2", "1"]})
    with pytest.raises(DataError, match="2 speakers without a fold"):
        folds_of("folds", people, corpus_folds={name: ["1"] for name in people[:4]})
    with pytest.raises(UsageError, match="one fold only"):
        folds_of("folds", people, corpus_folds={name: ["1"] for name in people})
    with pytest.raises(UsageError, match="one speaker for training and validation"):
        folds_of("folds", people, corpus_folds={name: ["1"] for name in people} | {"a": ["2"]})


def test_names_and_options():
    assert [name for name, spec in PROTOCOLS.items() if spec.has_folds] == [
        "loso", "repeated", "folds", "iemocap-5fold"
    ]  # fmt: skip
    assert find_protocol("loso+k=1") is PROTOCOLS["loso"]
    assert find_protocol("loso+normalisation=train").name == "loso"
    changed = find_protocol("repeated+normalisation=speaker+draws=3")
    assert (changed.name, changed.draws, changed.normalisation) == (
        "repeated+draws=3+normalisation=speaker", 3, "speaker"
    )  # fmt: skip
    assert find_protocol(changed.name) == changed
    assert "3 random splits" in changed.summary
    assert "transductive" in changed.summary
    assert protocol_options(PROTOCOLS["serab"]) == ("seed",)
    with pytest.raises(UnknownNameError, match="Did you mean 'loso'"):
        find_protocol("losso+k=2")
    for wrong in ("loso+k=0", "loso+k=x", "loso+k=", "loso+k", "strict+k=2", "loso+k=2+k=2", "repeated+draws=1001",
                  "loso+draws=3", "loso+normalisation=z", "loso+", "loso+k=" + "9" * 30, "loso+k=²"):  # fmt: skip
        with pytest.raises(UsageError):
            find_protocol(wrong)


def test_a_task_for_each_fold(prepared_tones):
    task = prepared_tones.task(PROTOCOLS["loso"])
    assert [fold.name for fold in task.folds] == list("abcdef")
    assert task.splits == "6 folds, each of which tests one speaker"
    assert {u.split for u in task.utterances} == {"test"}
    by_fold = fold_tasks(task)
    assert len({one.digest for one in by_fold}) == 6
    for fold, one in zip(task.folds, by_fold, strict=True):
        assert one.folds == ()
        assert (
            crossing_speakers({u.id: u.speaker for u in one.utterances}, {u.id: u.split for u in one.utterances}) == {}
        )
        assert {u.speaker for u in one.utterances if u.split == "test"} == set(fold.test_speakers)
        assert one.audio_digest == task.audio_digest
    assert prepared_tones.task(find_protocol("loso+k=2")).digest != task.digest
    assert prepared_tones.data_digests(PROTOCOLS["loso"]) == (task.digest, task.audio_digest)
    target = prepared_tones.task(PROTOCOLS["loso"], "pitch")
    assert (len(target.folds), target.target) == (6, "pitch")
    with pytest.raises(UsageError, match="iem4 only"):
        prepared_tones.task(PROTOCOLS["iemocap-5fold"])


def row(identifier, speaker, label, **more):
    return {"id": identifier, "speaker": speaker, "label": label, "sha256": identifier, "cut": {}} | more


def test_notices_of_folds():
    rows = [row(f"{s}{label}{take}", s, label) for s in "abcd" for label in "xy" for take in range(6)]
    folds = folds_of("loso", list("abcd"))
    protocol = PROTOCOLS["loso"]
    assert fold_notices(rows, folds, ("x", "y"), protocol) == ()
    few = fold_notices(rows[:-9], folds, ("x", "y"), replace(protocol, normalisation="speaker"))
    assert [notice.kind for notice in few] == ["missing-classes", "few-utterances", "one-class"]
    lacking = [one for one in rows if one["label"] == "x" or one["speaker"] == "a"]
    (train, *others) = fold_notices(lacking, folds, ("x", "y"), protocol)
    assert "the train split of " in train.text
    assert "no classifier can predict it there" in train.text
    assert others[0].text.startswith("the validation split of 3 of 4 folds")
    same = [*rows, row("copy", "b", "x", sha256="ax0")]
    same[0] |= {"silent": None}
    same[-1] |= {"silent": None}
    (shared,) = fold_notices(same, folds, ("x", "y"), protocol)
    assert (shared.kind, shared.severity) == ("shared-audio", "fault")
    sessions = [one | {"fold": "1" if one["speaker"] in "ab" else "2"} for one in rows]
    (divided,) = fold_notices(sessions, folds, ("x", "y"), protocol)
    assert divided.kind == "divided-folds"
    assert fold_notices(sessions, folds, ("x", "y"), PROTOCOLS["folds"]) == ()
    spoken = [one | {"sentence": one["id"][-1]} for one in rows]
    (said,) = fold_notices(spoken, folds, ("x", "y"), protocol)
    assert said.text == "the sentences are spoken by several speakers, each in every class"
    telling = [one | {"sentence": one["label"]} for one in rows]
    caution, said = fold_notices(telling, folds, ("x", "y"), protocol)
    assert caution.kind == "telling-sentences"
    assert caution.text.endswith("is right for 100 % of the utterances, to guess x for 50 %")
    assert said.text == "the sentences are spoken by several speakers"
