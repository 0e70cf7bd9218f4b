"""Verifying: what a sound corpus passes, and what each fault fails."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from serab_core import plugins
from serab_core.audio.mel import log_mel
from serab_core.data.prepare import prepare
from serab_core.data.prepared import Prepared
from serab_core.data.protocols import PROTOCOLS
from serab_core.data.verify import verify
from serab_core.embed.embedder import load_waveform
from serab_core.types import ExpectedAudio, SplitVariant


@pytest.fixture
def spec(toys):
    return plugins.dataset("tones")


def verdicts(findings) -> dict[str, str]:
    return {finding.name: finding.verdict for finding in findings}


def test_a_sound_corpus(prepared_tones, spec, quiet):
    assert verdicts(verify(prepared_tones, spec, quiet)) == {
        "utterances": "pass",
        "labels": "pass",
        "speakers": "pass",
        "splits (default)": "pass",
        "splits (as_released)": "known",
        "few utterances": "caution",  # nine of each speaker
        "repeated audio": "pass",
        "audio": "pass",
    }
    without = verdicts(verify(prepared_tones, None, quiet))
    assert "utterances" not in without
    assert without["audio"] == "pass"


def test_changed_missing_and_damaged_files(prepared_tones, spec, quiet, tones_folder):
    from serab_toys import tones

    tones.write(tones_folder, names=["a_low_0"], rate=16000)
    (tones_folder / "wav" / "a_low_1.wav").unlink()
    for take in range(3):
        for label in ("mid", "high"):
            (tones_folder / "wav" / f"b_{label}_{take}.wav").write_bytes(b"junk")
    found = {f.name: f for f in verify(prepared_tones, spec, quiet)}
    assert found["audio"].verdict == "fail"
    for words in ("a_low_0.wav has changed", "a_low_1.wav does not exist any more", "and 3 more"):
        assert words in found["audio"].text


def test_counts_against_other_expectations(prepared_tones, spec, quiet):
    other = replace(spec, expected_counts={"low": 18, "mid": 20, "high": 18}, expected_speakers=7)
    found = {f.name: f for f in verify(prepared_tones, other, quiet)}
    assert [found[n].verdict for n in ("utterances", "labels", "speakers")] == ["fail", "fail", "fail"]
    assert found["labels"].text == "mid 18 of 20"


def test_a_leak_that_is_not_declared_fails(spec, tones_folder, home, quiet):
    leaking = replace(spec, variants=(SplitVariant(group="take"),), released_variant="default")
    prepared = prepare(leaking, [tones_folder], home, quiet)
    assert verdicts(verify(prepared, leaking, quiet))["splits (default)"] == "fail"


def test_lengths_against_published_ones(prepared_tones, spec, quiet):
    rows = prepared_tones.index["utterances"]
    seconds = {row["id"]: row["duration"] for row in rows}
    hours, rate = sum(seconds.values()) / 3600, rows[0]["rate"]
    least, most = min(seconds.values()), max(seconds.values())

    def found(hours=hours, rates=(rate,), shortest=least, longest=most, lengths=None):
        published = ExpectedAudio(hours, rates, shortest, longest)
        told = replace(spec, expected_audio=published, expected_seconds=lengths)
        return {f.name: f for f in verify(prepared_tones, told, quiet)}

    sound = found(lengths=lambda: seconds)
    assert [sound[n].verdict for n in ("hours", "sampling rate", "lengths")] == ["pass", "pass", "pass"]
    assert found(hours=hours * 1.009)["hours"].verdict == "pass"
    longer = found(hours=hours * 1.02)["hours"]
    assert (longer.verdict, "(-2.0 %)" in longer.text) == ("fail", True)
    outside = found(shortest=10.0, longest=11.0)["hours"]
    assert outside.verdict == "fail"
    assert "54 utterances are shorter than 10.000 s" in outside.text
    assert "a_high_0: " in outside.text
    resampled = found(rates=(48000, 44100))["sampling rate"]
    assert (resampled.verdict, "a resampled copy" in resampled.text) == ("caution", True)
    one = found(lengths=lambda: seconds | {"b_low_1": 3.0})["lengths"]
    assert one.verdict == "fail"
    assert one.text.startswith("1 of 54 utterances have another length than published (b_low_1: ")


def test_a_copy_of_other_lengths_is_marked_wherever_it_is_scored(spec, tones_folder, home, quiet):
    published = ExpectedAudio(5.0, (48000,), 0.01, 60.0)
    prepared = prepare(replace(spec, expected_audio=published), [tones_folder], home, quiet)
    found = {notice["kind"]: notice for notice in prepared.summary()["notices"]}
    assert (found["hours"]["severity"], found["sampling-rate"]["severity"]) == ("fault", "caution")
    cautions = prepared.task(PROTOCOLS["strict"]).cautions
    assert any(text.startswith("this copy differs from the published corpus: ") for text in cautions)
    assert any("54 at 8000 Hz; published: 48000 Hz" in text for text in cautions)


def test_sentences_are_kept_and_compared(spec, tones_folder, home, quiet):
    prepared = prepare(replace(spec, sentence=lambda name: name[-1]), [tones_folder], home, quiet)
    assert "the sentences of the test split" in prepared.task(PROTOCOLS["strict"]).cautions[0]


def test_levels_are_those_of_the_files_as_they_are_now(prepared_tones, spec, quiet):
    """Also of a corpus that was prepared before levels were stored."""
    for row in prepared_tones.index["utterances"]:
        del row["peak"]
    for name in ("a_low_0", "b_mid_1"):
        path = next(row["file"] for row in prepared_tones.index["utterances"] if row["id"] == name)
        soundfile.write(path, np.zeros(2000), 8000)
    path = next(row["file"] for row in prepared_tones.index["utterances"] if row["id"] == "c_high_2")
    soundfile.write(path, np.full(2000, 900.0), 8000, subtype="FLOAT", format="WAV")
    found = {f.name: f for f in verify(prepared_tones, spec, quiet)}
    assert found["silent"].names == ("a_low_0", "b_mid_1")
    assert found["loud"].names == ("c_high_2",)
    assert found["audio"].names == ("a_low_0", "b_mid_1", "c_high_2")
    assert all("has changed" in part for part in found["audio"].text.split("; "))


def test_log_mel_statistics_against_a_published_pair(prepared_tones, spec, quiet):
    task = prepared_tones.task(PROTOCOLS["serab"])
    mels = [log_mel(load_waveform(u, 16000)) for u in task.utterances if u.split == "train"]
    pair = (float(np.mean([m.mean() for m in mels])), float(np.mean([m.std(ddof=1) for m in mels])))
    found = {f.name: f for f in verify(prepared_tones, replace(spec, logmel=pair), quiet)}
    assert found["log-mel"].verdict == "pass"
    assert re.search(r"off by [+-]0\.0000 and [+-]0\.0000", found["log-mel"].text)
    far = {f.name: f for f in verify(prepared_tones, replace(spec, logmel=(0.0, 1.0)), quiet)}
    assert far["log-mel"].verdict == "info"
    assert "another build of the corpus" in far["log-mel"].text


def test_through_the_command_line(serab, prepared_tones, tones_folder):
    code, out, err = serab("data", "verify", "tones")
    assert code == 0
    assert "no speaker is in two splits" in " ".join(out.split())
    assert "Verifying tones: 54 done" in err
    document = json.loads(serab("data", "verify", "tones", "--json")[1])
    assert document["schema"] == "serab.verification/1"
    (tones_folder / "wav" / "a_low_1.wav").unlink()
    assert serab("data", "verify", "tones")[0] == 5
    code, out, _ = serab("data", "show", "tones")
    assert code == 0
    flat = " ".join(out.split())
    for words in ("Tones, splits default: 54 utterances", "splits as_released: 36", "Seconds", "cut by takes", "█"):
        assert words in flat
    for command in ("verify", "show"):
        code, _, err = serab("data", command, "hums")
        assert (code, "Next: prepare it with `serab data prepare hums`." in " ".join(err.split())) == (5, True)
        assert serab("data", command, "nonsense")[0] == 5


def test_show_of_clips_that_all_last_the_same(prepared_tones, quiet):
    import io

    from rich.console import Console

    from serab_core.report.corpus import print_corpus

    rows = [row | {"duration": 2.0} for row in prepared_tones.index["utterances"]]
    marked = prepared_tones.index | {"utterances": rows, "synthetic": True, "partial": True}
    screen = Console(file=io.StringIO(), width=80)
    print_corpus(screen, Prepared(prepared_tones.folder, marked).task(PROTOCOLS["serab"]))
    assert "Every utterance lasts 2.00 s." in screen.file.getvalue()
    assert "(synthetic, partial)" in screen.file.getvalue()
