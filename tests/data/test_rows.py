"""Rows of an index: what is stored is what was decoded, segments are cut, and oddities are recorded."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile

from serab_core.audio.decode import decode
from serab_core.audio.resample import resample
from serab_core.data import rows as module
from serab_core.data.integrity import MAX_PLAUSIBLE_PEAK
from serab_core.data.rows import SEGMENT_SLACK, make_rows
from serab_core.errors import AudioError
from serab_core.report.progress import Silent
from serab_core.types import Entry, SourceFile

WAVE = (0.4 * np.sin(np.arange(16000) / 7) + 0.1 * np.sin(np.arange(16000) / 3)).astype(np.float32)


def source(path: Path, archive: str = "") -> SourceFile:
    return SourceFile(
        PurePosixPath(path.name), path.stat().st_size, path.read_bytes, None if archive else path, archive=archive
    )


def rows(tmp_path, entries, storage="in place"):
    folder = tmp_path / "prepared"
    folder.mkdir(exist_ok=True)
    return make_rows("own", entries, {}, folder, Silent(), storage)


def stored(tmp_path, row):
    return decode(tmp_path / "prepared" / row["file"], row["id"])


def one(tmp_path, samples, rate=16000, storage="flac", **options):
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, rate, **options)
    (row,) = rows(tmp_path, [Entry("u", source(path), "calm", "s")], storage)
    return path, row


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "ULAW"])
def test_a_copy_of_integers_is_flac_with_the_same_samples(tmp_path, subtype):
    path, row = one(tmp_path, WAVE, subtype=subtype)
    assert row["file"].endswith(".flac")
    assert row["sha256"] == decode(path, "a").sha256 == stored(tmp_path, row).sha256


@pytest.mark.parametrize(
    ("samples", "subtype"),
    [(WAVE * 32768, "FLOAT"), (WAVE * 3, "FLOAT"), (WAVE / 3, "FLOAT"), (WAVE, "PCM_32"), (WAVE, "DOUBLE"),
     (np.stack([WAVE, WAVE / 5], 1), "PCM_24")],
)  # fmt: skip
def test_a_copy_of_what_24_bits_do_not_hold_is_float_wav_with_the_same_samples(tmp_path, samples, subtype):
    path, row = one(tmp_path, samples, subtype=subtype)
    assert row["file"].endswith(".wav")
    assert row["sha256"] == decode(path, "a").sha256 == stored(tmp_path, row).sha256
    assert row["peak"] == pytest.approx(decode(path, "a").peak, rel=1e-5)


@pytest.mark.parametrize(("gain", "suffix"), [(1, ".flac"), (2.5, ".wav")])
def test_a_copy_that_is_resampled_is_within_half_a_step_of_24_bits(tmp_path, gain, suffix):
    path, row = one(tmp_path, WAVE * gain, 44100, subtype="FLOAT")
    original = decode(path, "a")
    expected = resample(original.samples, 44100, 16000)
    assert row["file"].endswith(suffix)
    assert row["rate"] == 16000
    assert np.abs(stored(tmp_path, row).samples - expected).max() <= (2.0**-24 if suffix == ".flac" else 0)
    assert stored(tmp_path, row).sha256 == row["sha256"]


def test_peaks_and_silence_are_in_the_row(tmp_path):
    assert one(tmp_path, WAVE * 8000, storage="in place", subtype="FLOAT")[1]["peak"] > MAX_PLAUSIBLE_PEAK
    row = one(tmp_path, WAVE, storage="in place")[1]
    assert "silent" not in row
    assert row["peak"] == pytest.approx(np.abs(WAVE).max(), abs=1e-4)
    assert one(tmp_path, 0 * WAVE)[1]["silent"] == "zero"
    for storage in ("in place", "copied", "flac"):
        row = one(tmp_path, np.stack([WAVE, -WAVE], 1), storage=storage, subtype="FLOAT")[1]
        assert (row["silent"], row["peak"]) == ("cancelled", 0.0)


# Segments


def segments(tmp_path, cuts, samples=WAVE, rate=16000, storage="in place", archive="", **options):
    path = tmp_path / "long.wav"
    soundfile.write(path, samples, rate, **options)
    files = [source(path, archive) for _ in cuts] if not archive else [source(path, archive)] * len(cuts)
    entries = [
        Entry(f"u{number}", file, "calm", "s", segment=cut)
        for number, (cut, file) in enumerate(zip(cuts, files, strict=True))
    ]
    return rows(tmp_path, entries, storage)


@pytest.mark.parametrize("storage", ["in place", "copied", "flac"])
@pytest.mark.parametrize("archive", ["", "a.zip"])
@pytest.mark.parametrize(("subtype", "suffix"), [("PCM_16", ".flac"), ("FLOAT", ".wav")])
def test_segments_are_cut_and_stored_at_the_files_rate(tmp_path, storage, archive, subtype, suffix):
    rate, both = 22050, np.stack([WAVE, WAVE], 1)
    made = segments(tmp_path, [(0.0, 0.25), (0.25, 0.5), (0.5, None)], both, rate, storage, archive, subtype=subtype)
    whole = decode(tmp_path / "long.wav", "long").samples
    for row, (start, stop) in zip(made, [(0, 5512), (5512, 11025), (11025, 16000)], strict=True):
        assert row["file"].startswith("audio/")
        assert row["file"].endswith(suffix)
        assert np.array_equal(stored(tmp_path, row).samples, whole[start:stop])
        assert (row["rate"], row["channels"], row["duration"]) == (rate, 1, round((stop - start) / rate, 6))
        assert row["sha256"] == stored(tmp_path, row).sha256


def test_a_file_with_several_segments_is_decoded_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "decode", lambda *given: calls.append(given) or decode(*given))
    segments(tmp_path, [(0.1 * n, 0.1 * n + 0.1) for n in range(9)])
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("cut", "what"),
    [
        ((0.2, 1.1), "ends at 1.1 s, and is 1.000 s long"),
        ((-0.1, 0.5), "begins at -0.1 s, before the file"),
        ((0.5, 0.5), "from 0.5 to 0.5 s, which holds no samples"),
        ((0.5, 0.2), "from 0.5 to 0.2 s, which holds no samples"),
        ((1.0, None), "begins at 1 s, and is 1.000 s long"),
        ((2.0, 2.5), "begins at 2 s, and is 1.000 s long"),
        ((float("nan"), 0.5), "which are not both numbers"),
        ((0.0, float("inf")), "which are not both numbers"),
    ],
)
def test_segments_that_are_not_in_the_file_are_refused(tmp_path, cut, what):
    with pytest.raises(AudioError) as caught:
        segments(tmp_path, [cut])
    assert what in caught.value.what
    assert "utterance u0" in caught.value.where
    assert caught.value.next_step == "correct the start and end of this utterance"


def test_a_segment_may_end_a_little_behind_its_file(tmp_path):
    (row,) = segments(tmp_path, [(0.5, 1.0 + SEGMENT_SLACK)])
    assert row["duration"] == 0.5


def test_a_silent_segment_of_a_loud_file_is_known(tmp_path):
    wave = WAVE.copy()
    wave[:8000] = 0
    quiet, loud = segments(tmp_path, [(0.0, 0.5), (0.5, 1.0)], wave)
    assert (quiet["silent"], quiet["peak"]) == ("zero", 0.0)
    assert "silent" not in loud


def test_a_broken_file_with_several_segments_is_reported_once(tmp_path):
    path = tmp_path / "broken.wav"
    soundfile.write(path, WAVE, 16000)
    path.write_bytes(path.read_bytes()[:9000])
    entries = [Entry(f"u{n}", source(path), "calm", "s", segment=(0.1 * n, 0.1 * n + 0.1)) for n in range(3)]
    with pytest.raises(AudioError, match="is cut short") as caught:
        rows(tmp_path, entries)
    assert str(caught.value).count("cut short") == 1


def test_names_that_a_file_system_takes_for_one_become_two(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_file_name", lambda identifier: identifier.casefold())  # as if case were ignored
    path = tmp_path / "a.wav"
    soundfile.write(path, WAVE, 16000)
    other = tmp_path / "b.wav"
    soundfile.write(other, WAVE / 2, 16000)
    pairs = rows(tmp_path, [Entry("a", source(path), "x", "s"), Entry("A", source(other), "x", "s")], "copied")
    assert len({row["file"] for row in pairs}) == 2
    for row in pairs:
        assert stored(tmp_path, row).sha256 == row["sha256"]
