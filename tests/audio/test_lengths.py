"""The decoded length is what the container's bytes hold, or the file is refused with what is wrong and what to do."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.audio.containers import measure, mpeg
from serab_core.audio.containers.identify import WALKERS
from serab_core.audio.containers.length import TOLERATED_BYTES
from serab_core.audio.decode import decode
from serab_core.errors import AudioError
from tests.audio.samples import RATE, ffmpeg_samples, run, speech, written

WAVE = speech()
COUNT = len(WAVE)
KINDS = [
    ("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAVEX", "PCM_16"),
    ("RF64", "PCM_16"), ("W64", "PCM_16"), ("W64", "MS_ADPCM"), ("AIFF", "PCM_16"), ("AIFF", "ULAW"),
    ("AIFF", "IMA_ADPCM"), ("AU", "PCM_16"), ("AU", "FLOAT"), ("CAF", "PCM_24"), ("CAF", "ALAC_16"),
    ("NIST", "PCM_16"), ("NIST", "ULAW"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]  # fmt: skip


def refusal(content: bytes, name: str = "corpus/a.wav") -> AudioError:
    with pytest.raises(AudioError) as caught:
        decode(content, name)
    assert caught.value.where == name
    assert caught.value.next_step
    return caught.value


def count(content: bytes) -> int:
    return len(decode(content, "x").samples)


@pytest.mark.parametrize(("kind", "subtype"), KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_container_decodes_as_soundfile_does(tmp_path, kind, subtype, channels):
    try:
        content = written(np.stack([WAVE] * channels, axis=1), kind, subtype)
    except soundfile.LibsndfileError:
        pytest.skip("libsndfile does not write it")
    with soundfile.SoundFile(
        io.BytesIO(content)
    ) as file:  # soundfile.read seeks first, which changes an mp3's rounding
        expected = file.read(file.frames, dtype="float32", always_2d=True).mean(axis=1, dtype=np.float32)
    path = tmp_path / "a.bin"  # the content tells the container, not the name
    path.write_bytes(content)
    for source in (path, content):
        assert np.array_equal(decode(source, "a").samples, expected)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.floats(0, 1), st.integers(1, 3000))
def test_a_file_that_is_cut_anywhere_is_never_accepted_with_fewer_samples(kind, place, samples):
    content = written(WAVE[-samples:], *kind)
    whole, cut = count(content), int(place * len(content))
    try:
        left = count(content[:cut])
    except AudioError:
        return
    assert left == whole or len(content) - cut <= TOLERATED_BYTES + 1  # and a pad byte


TO_A_PIPE = [
    "ffmpeg -i - -q:a 4 -f mp3 -", "ffmpeg -i - -b:a 64k -f mp3 -", "ffmpeg -i - -ar 44100 -ac 2 -q:a 2 -f mp3 -",
    "ffmpeg -i - -ar 8000 -q:a 6 -f mp3 -", "ffmpeg -i - -f mp2 -b:a 96k -", "lame --quiet -V4 - -",
    "lame --quiet -t -V9 - -", "lame --quiet -b 8 --resample 8 - -", "lame --quiet --cbr -b 32 --tt title - -",
    "sox -t wav - -C -4.2 -t mp3 -",
    "ffmpeg -i - -f wav -", "ffmpeg -i - -c:a pcm_f32le -f wav -", "ffmpeg -i - -c:a pcm_s24le -f wav -",
    "ffmpeg -i - -f au -", "ffmpeg -i - -f caf -", "sox -t wav - -t wav -", "sox -t wav - -t aiff -",
    "sox -t wav - -t au -", "sox -t wav - -t nist -",
    "ffmpeg -i - -f flac -", "flac -s - -c", "flac -s --ogg - -c", "ffmpeg -i - -c:a flac -f ogg -",
    "sox -t wav - -t flac -",
    "oggenc -Q - -o -", "ffmpeg -i - -c:a libvorbis -f ogg -",
    "opusenc --quiet - -", "ffmpeg -i - -c:a libopus -f ogg -",
]  # fmt: skip


@pytest.mark.parametrize("command", TO_A_PIPE)
def test_what_programs_write_to_a_pipe_decodes_as_with_ffmpeg(tmp_path, command):
    path = tmp_path / "piped"
    path.write_bytes(run(command, written(WAVE)))
    decoded = decode(path, "piped")
    other = ffmpeg_samples(path, decoded.rate, decoded.channels)
    assert abs(len(decoded.samples) - len(other)) <= 1152
    assert decoded.duration >= COUNT / RATE - 0.001
    if "opus" not in command:  # ffmpeg resamples it
        both = min(len(decoded.samples), len(other))
        assert np.abs(decoded.samples[:both] - other[:both]).max() < 1e-4


@pytest.mark.parametrize(
    "command", ["ffmpeg -i - -f w64 -", "ffmpeg -i - -rf64 always -f wav -", "ffmpeg -i - -f aiff -"]
)
def test_what_ffmpeg_itself_cannot_read_back_is_read_whole(command):
    assert np.array_equal(decode(run(command, written(WAVE)), "x").samples, decode(written(WAVE), "x").samples)


def test_sox_writes_its_caf_and_w64_header_twice_to_a_pipe():
    for kind in ("caf", "w64"):
        assert "header was written twice" in refusal(run(f"sox -t wav - -t {kind} -", written(WAVE))).what


# MPEG audio


MP3 = written(WAVE, "MP3", "MPEG_LAYER_III")
BARE = mpeg.walk(MP3).streams[0].data
"""Its frames without the Info frame."""


def frames(data: bytes) -> list[int]:
    """Where the frames begin, and where the last one ends."""
    places = [0]
    while places[-1] < len(data):
        places.append(places[-1] + mpeg.header(data[places[-1] : places[-1] + 4]).size)
    return places


def test_an_mp3_without_an_info_frame_is_decoded_to_its_end():
    places = frames(BARE)
    samples = mpeg.header(BARE[:4]).samples
    assert soundfile.info(io.BytesIO(BARE)).frames != (len(places) - 1) * samples  # libsndfile only estimates
    assert count(BARE) == (len(places) - 1) * samples
    assert abs(count(BARE) - COUNT) < 4 * samples


def test_an_mp3_whose_info_frame_promises_more_frames_is_cut_short():
    end = len(MP3) - (len(BARE) - frames(BARE)[-6])
    assert "is cut short: " in refusal(MP3[:end]).what
    assert "MPEG frames are there" in refusal(MP3[:end]).what
    assert refusal(MP3[:end]).next_step == "replace it with an intact copy"


def test_half_a_last_frame_is_cut_short():
    assert "is cut short: its last frame, number " in refusal(BARE[:-10]).what
    assert "is cut short" in refusal(BARE + BARE[:1]).what
    assert "is cut short" in refusal(BARE + BARE[:3]).what


ID3V2 = b"ID3\x04\0\0\0\0\x02\x05" + bytes(5) + b"\xff\xfb\x90\x64" + bytes(252)
ID3V2_FOOTER = b"ID3\x04\0\x10\0\0\0\x14" + bytes(20) + b"3DI\x04\0\x10\0\0\0\x14"
ID3V1 = b"TAG" + b"title".ljust(125, b"\0")
APE = b"APETAGEX" + struct.pack("<4I", 2000, 64, 1, 0xA0000000) + bytes(8) + bytes(32)
APE += b"APETAGEX" + struct.pack("<4I", 2000, 64, 1, 0x80000000) + bytes(8)


@pytest.mark.parametrize("front", [b"", ID3V2, ID3V2_FOOTER, ID3V2 + ID3V2, APE, bytes(3000), b"half a frame" * 9])
@pytest.mark.parametrize("behind", [b"", ID3V1, APE, APE + ID3V1, bytes(5000), b"the end of a download"])
def test_tags_and_junk_around_an_mp3_are_no_audio(front, behind):
    for body in (BARE, MP3):
        assert decode(front + body + behind, "a.mp3").sha256 == decode(body, "a.mp3").sha256


@pytest.mark.parametrize("between", [b"", ID3V1, ID3V2, ID3V1 + ID3V2])
def test_mp3s_joined_end_to_end_are_decoded_whole(between):
    assert count(BARE + between + BARE) == 2 * count(BARE)
    both = count(MP3 + between + MP3)
    assert 2 * count(MP3) <= both <= 2 * count(MP3) + 4 * 1152
    lost = MP3 + between + MP3[: len(MP3) - (len(BARE) - frames(BARE)[-4])]
    assert "MPEG frames are there" in refusal(lost).what


def test_joined_mp3s_of_two_kinds_are_refused():
    other = mpeg.walk(written(speech(9000), "MP3", "MPEG_LAYER_III", 24000)).streams[0].data
    error = refusal(BARE + other, "corpus/two.mp3")
    assert "from 16000 to 24000 Hz" in error.what
    assert error.next_step == "convert it: ffmpeg -i two.mp3 two.wav"
    stereo = mpeg.walk(written(np.stack([WAVE, WAVE], 1), "MP3", "MPEG_LAYER_III")).streams[0].data
    assert "from one channel to two" in refusal(BARE + stereo).what
    assert "from two channels to one" in refusal(stereo + BARE).what


def test_a_hole_in_an_mp3_is_named():
    places = frames(BARE)
    assert "between two MPEG frames" in refusal(BARE[: places[9]] + b"x" * 700 + BARE[places[9] :]).what
    assert "between two MPEG frames" in refusal(BARE[: places[9] + 40] + BARE[places[11] :]).what


def test_zeros_in_place_of_the_rest_of_an_mp3_are_named():
    half = BARE[: frames(BARE)[len(frames(BARE)) // 2] - 60]
    error = refusal(half + bytes(len(BARE) - len(half) + 4096))
    assert "zero bytes where MPEG frames should be" in error.what
    assert "if you know that it is complete, convert it" in error.next_step
    assert count(BARE + bytes(4000)) == count(BARE)
    assert count(MP3 + bytes(9000)) == count(MP3)  # its Info frame says that all frames are there


def test_a_vbri_frame_is_no_audio():
    first = bytearray(BARE[: frames(BARE)[1]])
    first[4:] = bytes(len(first) - 4)
    total = len(frames(BARE)) - 1
    first[36:54] = b"VBRI" + struct.pack(">HHHII", 1, 0, 75, len(BARE) + len(first), total)
    assert decode(bytes(first) + BARE, "x").sha256 == decode(BARE, "x").sha256
    assert "is cut short" in refusal(bytes(first) + BARE[: frames(BARE)[-3]]).what


def test_free_format_is_refused_with_the_command_that_helps():
    error = refusal(run("lame --quiet -t -b 64 --freeformat - -", written(WAVE)), "free.mp3")
    assert "of free format" in error.what
    assert error.next_step == "convert it: lame --decode free.mp3 free.wav"


def test_mp3_inside_a_wav_is_decoded():
    chunk = struct.pack("<HHIIHHH", 0x55, 1, RATE, 8000, 1, 0, 12) + bytes(12)
    content = b"WAVEfmt " + struct.pack("<I", len(chunk)) + chunk + b"data" + struct.pack("<I", len(BARE)) + BARE
    content = b"RIFF" + struct.pack("<I", len(content)) + content
    assert decode(content, "a.wav").sha256 == decode(BARE, "a.mp3").sha256
    assert "is cut short" in refusal(content[:-500]).what


# WAV and its relatives


@pytest.mark.parametrize("kind", ["WAV", "RIFX", "W64", "AIFF", "AU", "RF64", "CAF", "NIST"])
@pytest.mark.parametrize("share", [0.6, 0.97])
def test_a_truncated_file_is_cut_short(kind, share):
    content = written(WAVE, "WAV", endian="BIG") if kind == "RIFX" else written(WAVE, kind)
    assert content[:4] == b"RIFX" or kind != "RIFX"
    error = refusal(content[: int(len(content) * share)])
    assert error.what.startswith("is cut short: its header promises 48000 bytes of audio, and the file holds ")
    assert error.next_step == "replace it with an intact copy"


def wav(size: int, data: bytes, front: bytes = b"", behind: bytes = b"", riff: int | None = None) -> bytes:
    """A WAV file of 16 bits whose data chunk says `size`."""
    chunks = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16) + front
    chunks += b"data" + struct.pack("<I", size) + data + behind
    return b"RIFF" + struct.pack("<I", len(chunks) if riff is None else riff) + chunks


DATA = (WAVE * 32767).astype("<i2").tobytes()
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT\x0e\0\0\0Lavf59.27.100\0"
UNKNOWN = [
    0, 0xFFFFFFFF, 0xFFFFFFD3, 0xFFFFFFDB, 0x7FFFFFFF, 0x7FFFF000, 0x7FFFF024, 0x7FFFFFDB, 0x80000000, 0x80000024,
    0x7FFF0000, 0x7F000000,
]  # fmt: skip


@pytest.mark.parametrize("size", UNKNOWN)
@pytest.mark.parametrize("riff", [0, 0xFFFFFFFF, 0x7FFFF024, 36])
@pytest.mark.parametrize("front", [b"", LIST])
def test_sizes_that_mean_unknown_are_read_to_the_end(size, riff, front):
    decoded = decode(wav(size, DATA, front, riff=riff), "a.wav")
    assert decoded.sha256 == decode(wav(len(DATA), DATA), "b.wav").sha256


def test_a_shortage_of_a_header_or_a_sample_is_tolerated():
    for size in (len(DATA) + 1, len(DATA) + 2, len(DATA) + 36, len(DATA) + 44):
        assert count(wav(size, DATA)) == COUNT
    assert "is cut short" in refusal(wav(len(DATA) + 46, DATA)).what


@pytest.mark.parametrize("front", [b"", LIST, b"odd \x03\0\0\0abc\0", b"odd \x03\0\0\0abc", b"junk\0\0\0\0"])
@pytest.mark.parametrize(
    "behind", [b"", LIST, LIST * 3, b"id3 \x05\0\0\0title\0", ID3V1, bytes(9000), b"\0", LIST[:20]]
)
def test_chunks_around_the_audio_are_no_audio(front, behind):
    assert count(wav(len(DATA), DATA, front, behind)) == COUNT


@pytest.mark.parametrize("pad", [b"", b"\0"])
def test_audio_of_an_odd_size(pad):
    head = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    chunks = b"WAVEfmt " + head + b"data" + struct.pack("<I", 801) + bytes(range(256)) * 3 + bytes(33) + pad + LIST
    assert count(b"RIFF" + struct.pack("<I", len(chunks)) + chunks) == 801


def test_a_header_that_was_never_finished_or_another_file_behind_is_named():
    said = refusal(wav(8000, DATA)).what
    assert said.startswith(
        "holds 40000 bytes behind the audio that its header counts (8000 bytes): its header was never"
    )
    assert "holds a second WAV file" in refusal(wav(len(DATA), DATA) + wav(len(DATA), DATA)).what
    assert "is empty" in refusal(wav(0, b"")).what
    assert "is empty" in refusal(wav(0, b"", behind=LIST)).what
    assert "is cut short: the file ends before its audio" in refusal(wav(9, DATA)[:30]).what


@pytest.mark.parametrize("size", [0, 2, 100, len(DATA) // 2])
def test_a_second_data_chunk_is_named(size):
    second = b"data" + struct.pack("<I", len(DATA) - size) + DATA[size:]
    error = refusal(wav(size, DATA[:size], behind=LIST + second))
    assert error.what.startswith("holds a second data chunk at byte")
    assert "ffmpeg" not in error.next_step  # it would read one of the two
    assert count(wav(len(DATA), DATA, behind=b"data" + bytes(4))) == COUNT


def test_a_header_that_was_never_finished_is_converted_to_its_end():
    assert refusal(wav(8000, DATA)).next_step == (
        "convert it: ffmpeg -ignore_length 1 -i a.wav a.flac, and listen to its end"
    )


def test_24_bits_in_32_are_read():
    head = struct.pack("<IHHIIHH", 16, 1, 1, RATE, 4 * RATE, 4, 24)
    data = ((WAVE * (2**23 - 1)).astype("<i4") << 8).tobytes()
    content = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data))
    decoded = decode(content + data, "a.wav")
    assert np.abs(decoded.samples - WAVE).max() < 2**-22
    assert len(decoded.samples) == COUNT
    assert "is cut short" in refusal(content + data[: len(data) // 2]).what


def test_a_codec_that_libsndfile_lacks_is_refused_with_the_command_that_helps(tmp_path):
    run(f"ffmpeg -i - -c:a alac -f caf {tmp_path}/a.caf -f wav -", written(WAVE))
    error = refusal((tmp_path / "a.caf").read_bytes(), "a.caf")
    assert error.next_step == "convert it: ffmpeg -i a.caf a.wav"


def test_a_codec_of_wav_that_is_not_decoded_is_refused():
    error = refusal(run("ffmpeg -i - -ar 8000 -c:a g726 -f wav -", written(WAVE)))
    assert "codec 0x0045" in error.what
    assert error.next_step == "convert it: ffmpeg -i a.wav a.flac"


def test_an_aiff_whose_counts_disagree():
    content = bytearray(written(WAVE, "AIFF"))
    at = content.index(b"COMM") + 10
    content[at : at + 4] = struct.pack(">I", COUNT + 5000)
    assert f"promises {COUNT + 5000} samples, and it holds {COUNT}" in refusal(bytes(content)).what
    content[at : at + 4] = struct.pack(">I", 500)  # the bytes of the audio decide
    assert count(bytes(content)) == COUNT


@pytest.mark.parametrize("kind", ["AIFF", "AU", "CAF", "W64"])
def test_unknown_sizes_of_other_containers(kind):
    content = bytearray(written(WAVE, kind))
    mark, width, order = {
        "AIFF": (b"SSND", 4, "big"), "AU": (b".snd", 4, "big"), "CAF": (b"data", 8, "big"),
        "W64": (b"data\xf3", 8, "little"),
    }[kind]  # fmt: skip
    at = content.index(mark) + {"AU": 8, "W64": 16}.get(kind, 4)
    for value in (0, (1 << 8 * width) - 1):
        content[at : at + width] = value.to_bytes(width, order)
        assert count(bytes(content)) == COUNT


# FLAC


def uncounted(content: bytes) -> bytes:
    """A FLAC file as a pipe gives it: STREAMINFO says 0 samples."""
    return content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]


FLAC = written(WAVE, "FLAC")


@pytest.mark.parametrize("samples", [1, 15, 4096, 4097, 24000])
def test_a_flac_of_unknown_length_is_read_whole(tmp_path, samples):
    path = tmp_path / "a.flac"
    content = written(WAVE[:samples], "FLAC")
    path.write_bytes(uncounted(content))
    assert decode(path, "a").sha256 == decode(uncounted(content), "a").sha256 == decode(content, "a").sha256
    for around in (ID3V2 + path.read_bytes(), path.read_bytes() + ID3V1):
        assert decode(around, "a").sha256 == decode(content, "a").sha256


@settings(max_examples=40, deadline=None)
@given(st.integers(1, len(FLAC) - 1))
def test_a_flac_of_unknown_length_that_is_cut_is_refused(lost):
    assert "cut short" in refusal(uncounted(FLAC)[:-lost]).what or len(FLAC) - lost < 100


@pytest.mark.parametrize("zeros", [0, 1, 3, 5000, 12289])
def test_zeros_behind_a_flac_of_unknown_length_are_no_audio(zeros):
    content = run("flac --totally-silent -c -", written(WAVE))
    content = content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]
    assert measure(content).samples == COUNT
    assert decode(content + bytes(zeros), "x").sha256 == decode(written(WAVE), "x").sha256


def test_flacs_that_are_joined_or_say_too_little_are_refused():
    assert "holds a second FLAC file" in refusal(FLAC + FLAC).what
    few = FLAC[:21] + bytes([FLAC[21] & 0xF0]) + (9000).to_bytes(4, "big") + FLAC[26:]
    assert f"its header says 9000 samples, and its frames hold {COUNT}" in refusal(few).what
    assert "is cut short: " in refusal(FLAC[: len(FLAC) // 2]).what


def test_flac_in_ogg_is_decoded():
    for command in ("flac -s --ogg - -c", "ffmpeg -i - -c:a flac -f ogg -"):
        content = run(command, written(WAVE))
        assert decode(content, "x").sha256 == decode(written(WAVE), "x").sha256
        assert "is cut short" in refusal(content[:-700]).what


# Ogg


VORBIS, OPUS = written(WAVE, "OGG", "VORBIS"), written(WAVE, "OGG", "OPUS")


def pages(content: bytes) -> list[int]:
    places = [0]
    while places[-1] < len(content):
        at = places[-1]
        places.append(at + 27 + content[at + 26] + sum(content[at + 27 : at + 27 + content[at + 26]]))
    return places


@pytest.mark.parametrize("content", [VORBIS, OPUS], ids=["vorbis", "opus"])
def test_ogg(content):
    assert count(content) == COUNT
    places = pages(content)
    error = refusal(content[: places[-2]], "a.ogg")
    assert error.what == "is cut short: its last page is not marked as the end of its stream"
    assert error.next_step == (
        "replace it with an intact copy; if you know that it is complete, convert it: ffmpeg -i a.ogg a.wav"
    )
    assert "its last page is not whole" in refusal(content[:-1]).what
    assert count(content + content) == 2 * COUNT  # a chain
    assert count(ID3V2 + content + ID3V1) == COUNT
    assert "is cut short: a stream in it has no end" in refusal(content[: places[-2]] + content).what
    assert "are not an Ogg page" in refusal(content[: places[2]] + b"?" * 50 + content[places[2] :]).what
    if len(places) > 4:
        assert "some are missing" in refusal(content[: places[2]] + content[places[3] :]).what


def test_ogg_chains_of_two_kinds_and_streams_at_once_are_refused():
    other = written(speech(9000), "OGG", "VORBIS", 22050)
    assert "16000 Hz, 1 channels; 22050 Hz, 1 channels" in refusal(VORBIS + other).what
    first, second = pages(VORBIS)[1], pages(other)[1]
    both = VORBIS[:first] + other[:second] + VORBIS[first:] + other[second:]
    assert "several streams at once" in refusal(both).what


def test_speex_is_refused_by_name():
    assert "holds Speex" in refusal(run("ffmpeg -i - -c:a libspeex -f ogg -", written(WAVE))).what


# What is refused by name


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "is MP4 or M4A"),
        (b"\xff\xf1\x50\x80" + bytes(900), "is AAC"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is a web page"),
        (b"/annex/objects/MD5E-s96044--0123.wav\n", "is a git-annex pointer"),
        (ID3V2 + b"nothing", "holds no MPEG audio frames"),
        (written(WAVE, "VOC"), "is VOC"),
        (written(WAVE, "HTK"), "is HTK"),
        (written(WAVE, "MAT5"), "is MATLAB"),
        (written(WAVE, "IRCAM"), "is IRCAM"),
        (b"hello", "is not audio that can be decoded"),
    ],
)
def test_what_serab_does_not_read_is_refused_by_name(content, what):
    assert what in refusal(content).what


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_walker_takes_any_bytes(data):
    kind = data.draw(st.sampled_from(KINDS))
    head = written(WAVE[:500], *kind)[: data.draw(st.integers(0, 200))]
    content = head + data.draw(st.binary(max_size=200))
    for walker in WALKERS.values():
        assert isinstance(walker(content).complete, bool)
    measure(content)
