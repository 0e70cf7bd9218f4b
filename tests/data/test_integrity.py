"""Notices about a corpus: each leak and flaw is reported with its names, and a sound corpus has none."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from serab_core.data.integrity import MIN_UTTERANCES, corpus_notices
from serab_core.data.splits import describe_splits

VARIANT = {"name": "default", "shares_speakers": False}
SPLITS = ("train", "validation", "test")


def rows(speakers=3, takes=6):
    """Speakers, each in a split of its own, with as many takes of two labels."""
    return [
        {
            "id": f"{s}_{label}_{take}",
            "label": label,
            "speaker": f"s{s}",
            "sha256": f"{s}{label}{take}",
            "cut": {"default": [f"s{s}", SPLITS[s % 3]]},
        }
        for s in range(speakers)
        for label in ("calm", "anger")
        for take in range(takes)
    ]


def kinds(found):
    return {notice.kind: notice for notice in found}


def notices(changed, labels=("calm", "anger"), variant=VARIANT):
    return kinds(corpus_notices(changed, variant, labels))


def test_a_sound_corpus_has_none():
    assert notices(rows()) == {}


def test_crossing_speakers():
    changed = rows()
    changed[0]["cut"] = {"default": ["s0", "test"]}
    found = notices(changed)["crossing-speakers"]
    assert (found.severity, found.names) == ("fault", ("s0",))
    assert found.text == "1 of 3 speakers are in more than one split (s0): scores are too high"
    known = notices(changed, variant={"name": "default", "shares_speakers": True})["crossing-speakers"]
    assert (known.severity, "known to do" in known.text) == ("info", True)


@pytest.mark.parametrize(
    ("first", "second", "kind", "severity"),
    [
        ("0_calm_0", "2_calm_0", "shared-audio", "fault"),
        ("0_calm_0", "0_anger_0", "contradicting-labels", "fault"),
        ("0_calm_0", "2_anger_0", "contradicting-labels", "fault"),
        ("0_calm_0", "3_calm_0", "contradicting-speakers", "fault"),
        ("0_calm_0", "0_calm_1", "repeated-audio", "caution"),
    ],
)
def test_equal_audio_is_reported_once_under_the_worst_that_is_true(first, second, kind, severity):
    changed = rows(speakers=6)
    by_id = {row["id"]: row for row in changed}
    by_id[second]["sha256"] = by_id[first]["sha256"]
    found = notices(changed)
    assert set(found) == {kind}
    assert found[kind].severity == severity
    assert set(found[kind].names) == {first, second}
    assert first in found[kind].text
    assert second in found[kind].text


def test_labels_of_a_continuous_target_contradict_nothing():
    changed = rows()
    changed[6]["sha256"] = changed[0]["sha256"]
    assert set(notices(changed, labels=())) == {"repeated-audio"}


def test_silent_clips_are_silent_and_no_copies_of_each_other():
    changed = rows()
    for row in changed[:3]:
        row |= {"sha256": "same", "silent": "zero"}
    changed[20] |= {"silent": "cancelled"}
    found = notices(changed)
    assert set(found) == {"silent", "cancelled"}
    assert found["silent"].text.startswith("3 utterances are digital silence")
    assert found["cancelled"].names == (changed[20]["id"],)
    assert "keep one channel" in found["cancelled"].text


def test_peaks_of_integers_that_were_never_scaled():
    changed = rows()
    changed[0]["peak"], changed[1]["peak"] = 4263.0, 1.3
    found = notices(changed)
    assert set(found) == {"loud"}
    assert "0_calm_0: 4,263" in found["loud"].text


@pytest.mark.parametrize(("split", "says"), [(0, "can predict"), (1, "choosing"), (2, "UAR")])
def test_classes_that_a_split_lacks(split, says):
    changed = [row for row in rows(takes=12) if not (row["speaker"] == f"s{split}" and row["label"] == "anger")]
    found = notices(changed)
    assert set(found) == {"missing-classes", "one-class"}
    assert found["missing-classes"].names == ("anger",)
    assert says in found["missing-classes"].text


def test_speakers_with_too_few_utterances_for_normalisation():
    changed = [row for row in rows() if row["speaker"] != "s2" or row["id"] in ("2_calm_0", "2_anger_0")]
    found = notices(changed)["few-utterances"]
    assert found.names == ("s2",)
    assert "s2: 2 in test" in found.text
    assert "zero" not in found.text
    changed = [row for row in changed if row["id"] != "2_anger_0"]
    assert "sets all features of the 1 with one utterance to zero" in notices(changed)["few-utterances"].text


def test_speakers_of_one_class_lose_it_by_normalisation():
    changed = [row for row in rows() if row["speaker"] != "s2" or row["label"] == "calm"]
    changed += [row | {"id": row["id"] + "x", "sha256": row["sha256"] + "x"} for row in changed[-6:]]
    found = notices(changed)
    assert set(found) == {"missing-classes", "one-class"}
    assert found["one-class"].names == ("s2",)
    assert "1 of 3 speakers have utterances of one class only in a split (s2: calm in test)" in found["one-class"].text
    assert set(notices(changed, labels=())) == set()


def test_sentences_of_the_test_split():
    changed = rows()
    for row in changed:
        row["sentence"] = row["id"][-1]
    found = notices(changed)["shared-sentences"]
    assert (found.severity, found.names) == ("info", tuple("012345"))
    assert found.text.startswith("the sentences of the test split")
    next(row for row in changed if row["speaker"] == "s2")["sentence"] = "new"
    assert notices(changed)["shared-sentences"].text.startswith("some of the sentences")


def with_sentences(sentence):
    """Return rows with the sentence that a function gives for the label and the take."""
    changed = rows()
    for row in changed:
        row["sentence"] = sentence(row["label"], int(row["id"][-1]))
    return changed


def test_sentences_in_every_class_are_harmless():
    found = notices(with_sentences(lambda label, take: f"sentence {take}"))
    assert "telling-sentences" not in found
    assert found["shared-sentences"].text.endswith("in the training split, too, each in every class")


def test_sentences_that_give_labels_away():
    changed = with_sentences(lambda label, take: f"{label} {take}" if take else "common")
    found = notices(changed)
    assert (found["telling-sentences"].severity, len(found["telling-sentences"].names)) == ("caution", 10)
    assert found["telling-sentences"].text == (
        "the words give labels away: 10 of 12 test utterances have a sentence that occurs in training with one label "
        "only; to guess the most frequent label of the sentence in training is right for 92 % of the test utterances, "
        "to guess anger for 50 %"
    )
    assert not found["shared-sentences"].text.endswith("each in every class")
    assert "telling-sentences" not in notices(changed, labels=())


@pytest.mark.parametrize("swapped", [1, 2])
def test_sentences_tell_little_if_training_and_test_contradict_each_other(swapped):
    changed = with_sentences(lambda label, take: f"{label} {take}")
    tested = [row for row in changed if row["speaker"] == "s2"]
    for row in tested[::swapped]:
        row["label"] = "calm" if row["label"] == "anger" else "anger"
    assert "telling-sentences" not in notices(changed)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(SPLITS), st.sampled_from("xyz")), max_size=60))
def test_figures_about_sentences_are_those_of_a_majority_classifier(drawn):
    made = [
        {"id": str(i), "label": label, "speaker": f"{split}", "sha256": str(i), "sentence": sentence,
         "cut": {"default": [split, split]}}
        for i, (label, split, sentence) in enumerate(drawn)
    ]  # fmt: skip
    found = notices(made, labels=("a", "b", "c"))
    train = [row for row in made if row["cut"]["default"][1] == "train"]
    test = [row for row in made if row["cut"]["default"][1] == "test"]

    def guess(rows):
        labels = sorted(row["label"] for row in rows)
        return max(labels, key=labels.count)

    if not {row["sentence"] for row in train} & {row["sentence"] for row in test}:
        assert "telling-sentences" not in found
        return
    same = [[own for own in train if own["sentence"] == row["sentence"]] for row in test]
    by_sentence = sum(guess(own or train) == row["label"] for own, row in zip(same, test, strict=True))
    by_class = sum(guess(train) == row["label"] for row in test)
    single = sum(len({row["label"] for row in own}) == 1 for own in same)
    assert ("telling-sentences" in found) == ((by_sentence - by_class) / len(test) >= 0.05)
    if "telling-sentences" in found:
        numbers = re.findall(r"\d+", found["telling-sentences"].text)
        shown = [single, len(test), f"{100 * by_sentence / len(test):.0f}", f"{100 * by_class / len(test):.0f}"]
        assert numbers == [str(number) for number in shown]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(SPLITS), st.sampled_from("xyz")), max_size=30))
def test_whatever_is_reported_is_true(drawn):
    made = [
        {"id": str(i), "label": sound, "speaker": s, "sha256": sound, "cut": {"default": [s, split]}}
        for i, (s, split, sound) in enumerate(drawn)
    ]
    found = notices(made, labels=())
    splits = {s: {row["cut"]["default"][1] for row in made if row["speaker"] == s} for s in "abc"}
    crossing = {s for s, own in splits.items() if len(own) > 1}
    assert set(found.get("crossing-speakers", _NONE).names) == crossing
    counts = Counter(tuple(row["cut"]["default"]) for row in made)
    few = {s for (s, _), count in counts.items() if count < MIN_UTTERANCES}
    assert set(found.get("few-utterances", _NONE).names) == few
    shared = {sound for sound in "xyz" if len({row["cut"]["default"][1] for row in made if row["sha256"] == sound}) > 1}
    named = {made[int(i)]["sha256"] for i in found.get("shared-audio", _NONE).names}
    assert named == shared


class _NONE:
    names = ()


def test_a_statement_about_splits_is_made_where_it_is_true():
    def said(name, variant="default", released="default", own=False, partial=False):
        variants = [{"name": "default", "own_splits": own}, {"name": "as_released"}, {"name": "other"}]
        index = {"variants": variants, "released_variant": released, "partial": partial}
        return describe_splits(name, next(v for v in variants if v["name"] == variant), index)

    assert said("emodb") == "the paper's splits on true speakers"
    assert said("emodb", partial=True) == "the paper's splits on true speakers, as far as the partial copy has them"
    assert said("shemo", released="as_released").startswith("drawn by the paper's rule over true speakers, where")
    assert said("shemo", "as_released", "as_released") == "the released code's splits"
    assert said("mine") == "drawn by the paper's rule, over speakers"
    assert said("mine", own=True) == said("emodb", own=True) == "the corpus's own splits"
    assert said("mine", "other") == "those of the split variant other"


@pytest.fixture
def leaky(tmp_path):
    """Every speaker in every split; the same audio under two names, speakers and splits; one clip of silence."""
    lines = ["path,label,speaker,split"]
    for s, label, take in np.ndindex(6, 2, 3):
        name = f"{s}_{label}_{take}"
        wave = 0.1 * np.random.default_rng([0 if take == 2 and s == 5 else s, label, take]).standard_normal(4000)
        soundfile.write(tmp_path / f"{name}.wav", 0 * wave if name == "3_0_0" else wave, 16000)
        lines.append(f"{name}.wav,{('calm', 'anger')[label]},s{s},{SPLITS[take]}")
    lines[1:7] = [line.rpartition(",")[0] + ",train" for line in lines[1:7]]
    path = tmp_path / "leaky.csv"
    path.write_text("\n".join(lines))
    return path


def test_every_command_that_shows_a_score_repeats_the_notices(toys, serab, leaky, tmp_path):
    code, out, _ = serab("data", "add", "leaky", str(leaky))
    assert code == 0
    flat = " ".join(out.split())
    crossing = "5 of 6 speakers are in more than one split (s1, s2, s3, s4, s5): scores are too high"
    shared = (
        "4 utterances of equal audio are in more than one split: scores are too high (0_0_2.wav (train) = 5_0_2.wav"
    )
    assert crossing in flat
    assert "leaky is prepared" in flat
    summary = json.loads(serab("data", "add", "leaky", str(leaky), "--json")[1])
    assert {notice["kind"] for notice in summary["notices"] if notice["severity"] == "fault"} >= {"crossing-speakers"}
    assert summary["split_rule"] == "the corpus's own splits"
    code, out, _ = serab("eval", "toy", "toy/wide", "-t", "leaky", "-c", "centroid", "-j", "1")
    assert code == 0
    flat = " ".join(out.split())
    assert crossing in flat
    assert "Splits: the corpus's own splits (leaky)." in flat
    assert "paper" not in flat
    shown = {
        "eval": ("toy", "-t", "leaky", "-c", "centroid", "-j", "1"),
        "leaderboard": (),
        "compare": ("toy", "toy/wide"),
        "fairness": ("toy",),
        "optimism": (),
    }
    for command, words in shown.items():
        flat = " ".join(serab(command, *words)[1].split())
        assert crossing in flat, command
        assert crossing in serab(command, *words, "--json")[1], command
    assert re.search(r"\d†", serab("leaderboard")[1])
    assert "† the corpus has a fault" in " ".join(serab("leaderboard")[1].split())
    assert "leaky†" in serab("results", "card", "toy")[1]
    page, latex = tmp_path / "report.html", tmp_path / "table.tex"
    assert serab("report", "--output", str(page))[0] == 0
    assert crossing in page.read_text()
    assert serab("leaderboard", "--latex", str(latex))[0] == 0
    assert crossing in latex.read_text()
    code, out, _ = serab("data", "verify", "leaky")
    flat = " ".join(out.split())
    assert code == 5
    assert crossing in flat
    assert shared in flat
    assert "has no utterance" not in flat
    assert crossing in " ".join(serab("data", "show", "leaky")[1].split())
    assert json.loads(serab("data", "show", "leaky", "--json")[1])["notices"] == summary["notices"]
    assert "faulty" in serab("data", "list")[1]


def test_a_result_of_an_earlier_version_gets_what_is_known_now(toys, serab, leaky):
    assert serab("data", "add", "leaky", str(leaky))[0] == 0
    words = ("eval", "toy", "-t", "leaky", "-c", "centroid", "-j", "1", "--json")
    (result,) = json.loads(serab(*words)[1])["results"]
    with open(result["file"]) as opened:
        stored = json.load(opened)
    del stored["splits"]
    with open(result["file"], "w") as opened:
        json.dump(stored | {"cautions": []}, opened)
    assert "not recorded by the version of serab" in " ".join(serab("leaderboard")[1].split())
    (again,) = json.loads(serab(*words)[1])["results"]
    assert again["reused"]
    assert again["cautions"] == result["cautions"] != []
    assert "5 of 6 speakers" in " ".join(serab("leaderboard")[1].split())
