"""What the corpora's cautions say about texts, dialogue partners and split variants is true of their lists."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from serab_plugin_datasets import iem4, savee
from serab_plugin_datasets._lists import read_list

from serab_core import SourceFile, plugins
from serab_core.data.integrity import corpus_notices
from serab_core.data.prepare import cut

WITH_SENTENCES = ("aesdd", "cafe", "crema_d", "emodb", "emovo", "ravdess", "subesco")


def listed_rows(name: str) -> list[dict]:
    """Return the rows of the index that the list of a corpus would give, without audio."""
    sentence = plugins.dataset(name).sentence
    return [
        {
            "id": row.utterance,
            "label": row.label,
            "speaker": row.speaker,
            "sha256": row.utterance,
            "cut": {"default": [row.speaker, row.split]},
            "sentence": sentence(row.utterance),
        }
        for row in read_list(name)
    ]


@pytest.mark.parametrize("name", WITH_SENTENCES)
def test_their_sentences_do_not_tell_the_label(name):
    spec = plugins.dataset(name)
    found = {n.kind: n for n in corpus_notices(listed_rows(name), {"name": "default"}, spec.labels)}
    assert "telling-sentences" not in found
    assert found["shared-sentences"].text == (
        "the sentences of the test split are spoken in the training split, too, each in every class"
    )


def test_every_sentence_of_savee_that_is_tested_is_in_training():
    numbers: dict[str, set[str]] = {"train": set(), "validation": set(), "test": set()}
    for row in read_list("savee"):
        numbers[row.split].add(row.utterance[3:])
    assert numbers["test"] == numbers["train"]
    each = Counter(name.rstrip("0123456789") for name in numbers["test"])
    assert each == {"a": 15, "d": 15, "f": 15, "h": 15, "n": 30, "sa": 15, "su": 15}
    (default,) = plugins.dataset("savee").variants
    assert default.note == savee.NOTE
    assert plugins.dataset("savee").sentence is None


def test_the_partner_of_every_test_speaker_of_iem4_is_in_training():
    rows = read_list("iem4")
    split_of = {row.speaker: row.split for row in rows}
    partner = {speaker: speaker[:2] + {"F": "M", "M": "F"}[speaker[2]] for speaker in split_of}
    tested = [speaker for speaker, split in split_of.items() if split != "train"]
    assert len(tested) == 4
    assert {split_of[partner[speaker]] for speaker in tested} == {"train"}
    dialogues = {row.utterance.rpartition("_")[0] for row in rows if row.split == "train"}
    assert all(row.utterance.rpartition("_")[0] in dialogues for row in rows if row.split == "test")
    assert plugins.dataset("iem4").variant("default").note == iem4.PARTNERS


def test_the_scripts_of_iem4_are_in_training_in_both_variants():
    spec = plugins.dataset("iem4")
    files = spec.example()
    index = spec.index([SourceFile(PurePosixPath(p), 1, lambda p=p: files[p], archive="made") for p in files])
    for variant in spec.variants:
        splits = {utterance: split for utterance, (_, split) in cut(variant, index, spec).items()}
        scripts = {
            split: {n.split("_")[1] + n.split("_")[2] for n, own in splits.items() if own == split and "script" in n}
            for split in ("train", "test")
        }
        assert scripts["test"] <= scripts["train"]
        assert len(scripts["test"]) == 7
        assert iem4.WORDS in variant.note


def test_the_variant_of_cafe_without_neutral_has_864_utterances_and_the_same_speakers():
    spec = plugins.dataset("cafe")
    files = spec.example()
    index = spec.index([SourceFile(PurePosixPath(p), 1, lambda p=p: files[p], archive="made") for p in files])
    whole, other = (cut(spec.variant(name), index, spec) for name in ("default", "without_neutral"))
    assert (len(whole), len(other)) == (936, 864)
    assert Counter(split for _, split in other.values()) == {"train": 504, "validation": 144, "test": 216}
    assert all(whole[utterance] == place for utterance, place in other.items())
    fewer = replace(index, entries=tuple(entry for entry in index.entries if entry.id in other))
    assert {entry.label for entry in fewer.entries} == set(spec.labels) - {"neutral"}
