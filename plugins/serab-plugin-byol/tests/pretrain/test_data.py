"""Finding, filtering, packing and sampling audio."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from serab_plugin_byol.pretrain.data.audioset import files_of, speech_classes, speech_ids
from serab_plugin_byol.pretrain.data.pack import pack
from serab_plugin_byol.pretrain.data.segments import Ahead, Draw, Segments
from serab_plugin_byol.pretrain.data.sources import audio_files

from serab_core.errors import DataError
from serab_core.report.progress import Silent


def tone(path, seconds=0.5, rate=16_000, level=0.3):
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(int(seconds * rate)) / rate
    soundfile.write(path, level * np.sin(2 * np.pi * 440 * at), rate, subtype="PCM_16")
    return path


# Sources


def test_folders_lists_and_files(tmp_path):
    first, second = tone(tmp_path / "a" / "one.wav"), tone(tmp_path / "a" / "b" / "TWO.FLAC")
    (tmp_path / "a" / "notes.txt").write_text("no audio")
    (tmp_path / "a" / "._one.wav").write_bytes(b"litter")
    listed = tmp_path / "list.txt"
    listed.write_text("# a comment\n\na/one.wav\n")
    assert audio_files([tmp_path / "a"]) == sorted([first, second])
    assert audio_files([listed, tmp_path / "a"]) == [first, second]  # each once
    assert audio_files([second]) == [second]


def test_sources_that_are_none(tmp_path):
    with pytest.raises(DataError, match="neither a folder nor a file"):
        audio_files([tmp_path / "missing"])
    with pytest.raises(DataError, match="no audio file found"):
        audio_files([tmp_path])
    listed = tmp_path / "list.txt"
    listed.write_text("gone.wav\n")
    with pytest.raises(DataError, match=r"names a missing file: .*gone\.wav, entry 1 of 1"):
        audio_files([listed])
    listed.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not a list of files"):
        audio_files([listed])


# AudioSet


CSV = """# Segments csv created Sun Mar  5 10:54:31 2017
# num_ytids=4, num_segs=4, num_unique_labels=527, num_positive_labels=52882
# YTID, start_seconds, end_seconds, positive_labels
--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"
--ZhevVpy1s, 50.000, 60.000, "/m/012xff"
Y-aE2O5G5WE, 0.000, 10.000, "/m/03fwl,/m/05zppz"
-0RWZT-miFs, 420.000, 430.000, "/m/03v3yw,/m/0k4j"
"""


def test_speech_and_what_is_below_it_in_the_ontology():
    # From AudioSet's ontology: /m/09x0r Speech, /m/05zppz Male speech, /m/02zsn Female speech, /m/0ytgt Child speech,
    # /m/01h8n0 Conversation, /m/02qldy Narration, /m/0261r1 Babbling, /m/0brhx Speech synthesizer.
    classes = speech_classes()
    assert {"/m/09x0r", "/m/05zppz", "/m/02zsn", "/m/0ytgt", "/m/01h8n0", "/m/02qldy", "/m/0261r1", "/m/0brhx"} == set(
        classes
    )
    # Beside Speech under Human voice, not below it.
    assert not {"/m/07p6fty", "/m/07qfr4h", "/m/01j3sz", "/m/015lz1"} & set(classes)


def test_segments_with_speech_and_their_files(tmp_path):
    path = tmp_path / "segments.csv"
    path.write_text(CSV)
    ids = speech_ids([path])
    assert ids == {"--PJHxphWEs", "Y-aE2O5G5WE"}
    names = ["Y--PJHxphWEs.wav", "Y-aE2O5G5WE_0.000.flac", "--ZhevVpy1s.wav", "notes.txt"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in files_of(ids, tmp_path)] == names[:2]
    assert speech_ids([path], frozenset({"/m/012xff"})) == {"--ZhevVpy1s"}


@pytest.mark.parametrize("line", ["a,b", 'id, 0, 1, "speech"', "utterance,label,speaker,split"])
def test_lists_that_are_not_audiosets(tmp_path, line):
    path = tmp_path / "segments.csv"
    path.write_text(CSV + line + "\n")
    with pytest.raises(DataError, match="line 8 is not a segment"):
        speech_ids([path])
    with pytest.raises(DataError, match="cannot be read"):
        speech_ids([tmp_path / "missing.csv"])


# Packs


@pytest.fixture
def audio(tmp_path):
    paths = [tone(tmp_path / "audio" / f"{n:02d}.wav", 0.2 + 0.05 * n, 16_000 if n % 2 else 8_000) for n in range(10)]
    (tmp_path / "audio" / "03.wav").write_bytes(b"not audio")
    soundfile.write(tmp_path / "audio" / "05.wav", np.zeros(0), 16_000)
    return paths


def test_pack(audio, tmp_path):
    result = pack(audio, tmp_path / "pack", Silent(), shard_samples=10_000)
    assert result.clips == 8
    assert len(result.shards) > 2
    assert [name for name, _ in result.skipped] == [str(audio[3]), str(audio[5])]
    names, lengths = [], []
    for shard in result.shards:
        with h5py.File(shard) as file:
            names += list(file["names"].asstr())
            lengths += list(np.diff(file["starts"]))
            assert file["samples"].chunks is None
    assert names == [str(path) for path in audio if path not in (audio[3], audio[5])]
    assert lengths[1] == int(0.25 * 16_000)  # 01.wav was at 16 kHz
    assert abs(lengths[0] - 0.2 * 16_000) <= 1  # 00.wav was at 8 kHz
    assert result.seconds == pytest.approx(sum(lengths) / 16_000)
    held, _ = soundfile.read(audio[1], dtype="int16")
    segments = Segments([tmp_path / "pack"])
    assert len(segments) == 8
    np.testing.assert_array_equal(segments.batch(np.array([1]), np.array([0.0]), 4_000)[0], held)


def test_a_pack_with_processes_is_the_same(audio, tmp_path):
    many = [tone(tmp_path / "many" / f"{n:02d}.wav", 0.1 + 0.01 * n) for n in range(40)]
    pack(many, tmp_path / "one", Silent(), jobs=1)
    pack(many, tmp_path / "two", Silent(), jobs=2)
    assert Segments([tmp_path / "one"]).digest == Segments([tmp_path / "two"]).digest


def test_a_pack_goes_on_after_its_last_whole_shard(audio, tmp_path, monkeypatch):
    whole = pack(audio, tmp_path / "whole", Silent(), shard_samples=10_000)
    from serab_plugin_byol.pretrain.data import pack as module

    decoded, real = [], module._decode

    def stop_at(path):
        decoded.append(path)
        if len(decoded) == 8:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(module, "_decode", stop_at)
    with pytest.raises(KeyboardInterrupt):
        pack(audio, tmp_path / "pack", Silent(), shard_samples=10_000)
    already = len(list((tmp_path / "pack").glob("pack-*.h5")))
    assert 0 < already < len(whole.shards)
    decoded.clear()
    monkeypatch.setattr(module, "_decode", lambda path: decoded.append(path) or real(path))
    again = pack(audio, tmp_path / "pack", Silent(), shard_samples=10_000)
    assert len(decoded) < len(audio)
    assert (again.clips, again.seconds, again.skipped) == (whole.clips, whole.seconds, whole.skipped)
    for shard, repeated in zip(whole.shards, again.shards, strict=True):
        with h5py.File(shard) as a, h5py.File(repeated) as b:
            np.testing.assert_array_equal(a["samples"], b["samples"])
    decoded.clear()
    assert pack(audio, tmp_path / "pack", Silent(), shard_samples=10_000).clips == whole.clips
    assert decoded == []


def test_a_folder_with_a_pack_of_other_files(audio, tmp_path):
    pack(audio, tmp_path / "pack", Silent())
    with pytest.raises(DataError, match="holds a pack of other files"):
        pack(audio[:4], tmp_path / "pack", Silent())


def test_nothing_to_pack(audio, tmp_path):
    with pytest.raises(DataError, match=r"none of 1 files could be packed: .*03\.wav"):
        pack([audio[3]], tmp_path / "pack", Silent())


def test_packs_that_are_none(tmp_path):
    with pytest.raises(DataError, match="holds no pack"):
        Segments([tmp_path])
    path = tmp_path / "pack-00000.h5"
    path.write_bytes(b"garbage")
    with pytest.raises(DataError, match="cannot be read"):
        Segments([path])
    with h5py.File(path, "w") as file:
        file["samples"] = [1, 2]
    with pytest.raises(DataError, match="is not a pack"):
        Segments([path])


# Segments and draws


def test_segments_of_clips(audio, tmp_path):
    pack(audio, tmp_path / "pack", Silent())
    segments = Segments([tmp_path / "pack"])
    with h5py.File(tmp_path / "pack" / "pack-00000.h5") as file:
        samples, starts = file["samples"][:], file["starts"][:]
    clip, unit = 6, 2_000
    whole = samples[starts[clip] : starts[clip + 1]]
    for at, begin in ((0.0, 0), (0.5, (len(whole) - unit + 1) // 2), (np.nextafter(1.0, 0), len(whole) - unit)):
        got = segments.batch(np.array([clip]), np.array([at]), unit)[0]
        np.testing.assert_array_equal(got, whole[begin : begin + unit])
    longer = segments.batch(np.array([clip]), np.array([0.7]), len(whole) + 5)[0]
    np.testing.assert_array_equal(longer, np.pad(whole, (2, 3)))


@given(
    clips=st.integers(1, 40), batch=st.integers(1, 17), world=st.integers(1, 4), seed=st.integers(0, 2**31),
    begin=st.integers(0, 50),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_draws_are_permutations_dealt_to_ranks(clips, batch, world, seed, begin):
    batch *= world
    ranks = [Draw(clips, batch, rank=r, world=world, random_crop=True, seed=seed) for r in range(world)]
    alone = Draw(clips, batch, rank=0, world=1, random_crop=True, seed=seed)
    seen = []
    for number in range(begin, begin + 6):
        drawn, at = alone.of(number)
        dealt = [rank.of(number) for rank in ranks]
        np.testing.assert_array_equal(np.stack([d[0] for d in dealt], 1).ravel(), drawn)
        np.testing.assert_array_equal(np.stack([d[1] for d in dealt], 1).ravel(), at)
        assert (at >= 0).all()
        assert (at < 1).all()
        seen += list(drawn)
    # Every whole epoch within what was drawn holds each clip once.
    first = -(-begin * batch // clips) * clips - begin * batch
    for epoch in range(first, len(seen) - clips + 1, clips):
        assert sorted(seen[epoch : epoch + clips]) == list(range(clips))


def test_draws_without_random_crop_take_the_beginning():
    _, at = Draw(10, 4, rank=0, world=1, random_crop=False, seed=1).of(3)
    assert not at.any()


def test_ahead():
    assert [int(x[0]) for x in Ahead(lambda n: np.array([n]), 3, 9)] == [3, 4, 5, 6, 7, 8]
    ahead = Ahead(lambda n: np.array([n]), 0, 1_000)
    for batch in ahead:  # a consumer that leaves early leaves no thread waiting
        if batch[0] == 2:
            break
    assert ahead.waited_s > 0


def test_ahead_passes_on_what_goes_wrong():
    def make(number):
        if number == 2:
            raise DataError("torn")
        return np.array([number])

    with pytest.raises(DataError, match="torn"):
        list(Ahead(make, 0, 5))
