"""Damaged input of every kind: read, or refused with one of serab's errors, and never another."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import tarfile
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import soundfile

from serab_core import settings
from serab_core.audio.containers import mpeg
from serab_core.audio.containers.identify import WALKERS
from serab_core.audio.decode import decode
from serab_core.data.manifest import read_manifest
from serab_core.data.source import open_sources
from serab_core.errors import AudioError, SerabError
from serab_core.results.exchange import read_exchange
from serab_core.store.journal import Hdf5JournalBackend
from serab_core.store.results import read_result, result_document
from serab_core.store.shards import Shard, read_shard, write_shard
from serab_core.system.session import current_session
from tests.faults.conftest import amount

COUNT = amount("FUZZ", 400)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, cut out, doubled, put in, or swapped for numbers at the edge."""
    value = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(value) + 1) if rng.random() < 0.5 else rng.randrange(min(len(value), 64) + 1)
        kind = rng.randrange(6)
        if kind == 0 and at < len(value):
            value[at] = rng.randrange(256)
        elif kind == 1:
            del value[at : at + rng.choice((1, 4, 64, 4096))]
        elif kind == 2:
            value[at:at] = value[at : at + rng.choice((1, 8, 64))]
        elif kind == 3:
            value[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 32))))
        elif kind == 4:
            value[at : at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80"))
        else:
            del value[at:]
    return bytes(value)


def fuzz(seeds: list[bytes], read, seed: int) -> tuple[int, int]:
    """Reads mutated seeds; returns how many were read and how many refused."""
    rng, taken, refused = random.Random(seed), 0, 0
    for _ in range(COUNT):
        content = mutated(rng.choice(seeds), rng)
        try:
            read(content)
            taken += 1
        except SerabError:
            refused += 1
    assert refused
    return taken, refused


@pytest.fixture
def told(report_fault, request):
    def tell(counts):
        report_fault(
            request.node.name.removeprefix("test_"), inputs=COUNT, read=counts[0], refused=counts[1], crashed=0
        )

    return tell


def test_audio(told):
    seeds = []
    wave = (0.1 * np.random.default_rng(0).standard_normal((1600, 2))).astype(np.float32)
    for kind, subtype in (
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("AIFF", "PCM_24"),
    ):
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, 16000, format=kind, subtype=subtype)
        seeds.append(buffer.getvalue())
    told(fuzz(seeds, lambda content: decode(content, "fuzzed"), 1))


WALKER_SEEDS = {
    "riff": [("WAV", "PCM_16"), ("WAV", "MS_ADPCM"), ("WAVEX", "FLOAT"), ("RF64", "PCM_24")],
    "w64": [("W64", "PCM_16"), ("W64", "IMA_ADPCM")],
    "aiff": [("AIFF", "PCM_24"), ("AIFF", "ULAW"), ("AIFF", "IMA_ADPCM")],
    "au": [("AU", "PCM_16"), ("AU", "G721_32")],
    "caf": [("CAF", "PCM_16"), ("CAF", "ALAC_16")],
    "nist": [("NIST", "PCM_16"), ("NIST", "ULAW")],
    "flac": [("FLAC", "PCM_16")],
    "ogg": [("OGG", "VORBIS"), ("OGG", "OPUS")],
    "mpeg": [("MP3", "MPEG_LAYER_III")],
}


@pytest.mark.parametrize("walker", WALKER_SEEDS)
def test_walker(told, walker):
    """A walker takes any bytes, of its container or of another, and decoding what it lets pass ends as well."""
    assert set(WALKER_SEEDS) == set(WALKERS)
    wave, seeds = (0.1 * np.random.default_rng(0).standard_normal(4000)).astype(np.float32), []
    for kind, subtype in WALKER_SEEDS[walker]:
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, 16000, format=kind, subtype=subtype)
        seeds.append(buffer.getvalue())
    if walker == "flac":  # a pipe's: no samples in STREAMINFO
        seeds.append(seeds[0][:21] + bytes([seeds[0][21] & 0xF0]) + bytes(4) + seeds[0][26:])
    if walker == "mpeg":  # without its Info frame
        seeds.append(mpeg.walk(seeds[0]).streams[0].data)

    def read(content: bytes) -> None:
        length = WALKERS[walker](content)
        if length.fault:
            raise AudioError(length.fault)
        decode(content, "fuzzed")

    told(fuzz(seeds, read, sum(walker.encode())))


def archives() -> list[bytes]:
    audio = io.BytesIO()
    soundfile.write(audio, np.zeros(80, np.int16), 8000, format="WAV")
    made = []
    for name in ("a_low_0.wav", "../../../outside.wav", "/tmp/outside.wav"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, audio.getvalue())
            archive.writestr("inner.zip", made[0] if made else b"")
        made.append(buffer.getvalue())
        for mode in ("w", "w:gz", "w:xz"):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode=mode) as archive:
                info = tarfile.TarInfo(name)
                info.size = len(audio.getvalue())
                archive.addfile(info, io.BytesIO(audio.getvalue()))
                link = tarfile.TarInfo("link")
                link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(link)
            made.append(buffer.getvalue())
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = "Actor_01\\a_low_0.wav", method
            archive.writestr(info, audio.getvalue())
            link = zipfile.ZipInfo("b/link.wav")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            archive.writestr(link, "../Actor_01")
        made.append(b"junk" * (method == zipfile.ZIP_LZMA) + buffer.getvalue())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:bz2") as archive:
        for name, kind, target in (
            ("a", tarfile.LNKTYPE, "b"),
            ("b", tarfile.SYMTYPE, "a"),
            ("c", tarfile.LNKTYPE, "c"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    made.append(buffer.getvalue())
    return made


@pytest.mark.filterwarnings("ignore")
def test_archives(told, tmp_path):
    path, before = tmp_path / "box" / "fuzzed.zip", None
    path.parent.mkdir()

    def read(content: bytes) -> None:
        path.write_bytes(content)
        with open_sources([path]) as files:
            for file in files:
                with suppress(SerabError):  # one that is damaged does not hide the others
                    assert len(file.read()) < 1 << 24

    before = set(os.listdir(tmp_path))
    told(fuzz(archives(), read, 2))
    assert set(os.listdir(tmp_path)) == before
    assert os.listdir(path.parent) == ["fuzzed.zip"]


def test_manifests(told, tmp_path):
    for name in "abcdef":
        (tmp_path / f"{name}.wav").write_bytes(b"x")
    path = tmp_path / "manifest.csv"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        read_manifest(path, segments=b"start" in content or None)

    splits = ("train", "train", "dev", "test", "train", "eval")
    rows = [(f"{name}.wav", "xy"[at % 2], f"s{at}", splits[at], at, at + 1) for at, name in enumerate("abcdef")]
    seeds = []
    for end, delimiter in (("\n", ","), ("\r\n", ";"), ("\n", "\t")):
        for header, width in (
            ("path,label,speaker", 3),
            ("path,label,speaker,split", 4),
            ("path,label,speaker,split,start,end", 6),
        ):
            lines = [header.replace(",", delimiter), *(delimiter.join(map(str, row[:width])) for row in rows)]
            seeds.append(end.join(lines).encode())
    seeds.append(
        b'\xef\xbb\xbfpath,text,label,speaker\r\na.wav,"oh ""no"",\r\nnot again",x,s1\r\n"b.wav",hello,y,s2\r\n'
    )
    told(fuzz(seeds, read, 3))


def test_journals(told, tmp_path):
    path = tmp_path / "journal.h5"
    backend = Hdf5JournalBackend(path)
    backend.append_logs([{"op_code": 1, "value": number} for number in range(50)])
    backend.flush()
    good = path.read_bytes()

    def read(content: bytes) -> None:
        path.write_bytes(content)
        list(Hdf5JournalBackend(path).read_logs(0))

    told(fuzz([good], read, 4))


def test_shards(told, tmp_path):
    names = tuple(f"{number:064x}" for number in range(8))
    shard = Shard(tmp_path / "shards", "a")
    write_shard(shard, np.ones((8, 16), np.float32), names, {})
    good, manifest = shard.path.read_bytes(), shard.manifest.read_bytes()
    turn = [0]

    def read(content: bytes) -> None:
        turn[0] += 1
        shutil.rmtree(shard.folder)
        shard.folder.mkdir()
        # By turns the file, its manifest, and both with a manifest that says the file is right.
        if turn[0] % 3 == 0:
            shard.path.write_bytes(content)
            shard.manifest.write_bytes(manifest)
        else:
            shard.path.write_bytes(good)
            shard.manifest.write_bytes(content)
        assert np.array_equal(read_shard(shard, names), np.ones((8, 16), np.float32))

    told(fuzz([good, manifest], read, 5))


def test_results(told, make_result, tmp_path):
    document = json.loads(json.dumps(result_document(make_result("x", "emodb", 0.8))))
    path = tmp_path / "result.json"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        if content.startswith(b'{"schema": "serab.results'):
            read_exchange(path)
        else:
            read_result(path)

    seeds = [json.dumps(document).encode(), json.dumps({"schema": "serab.results/1", "results": [document]}).encode()]
    told(fuzz(seeds, read, 6))


def test_settings(told, tmp_path, monkeypatch):
    path = tmp_path / "serab.toml"
    monkeypatch.setenv("SERAB_CONFIG", str(path))

    def read(content: bytes) -> None:
        path.write_bytes(content)
        current_session().close()
        settings.current_settings()

    seeds = [b'home = "/somewhere"\njobs = 3\ntasks = ["emodb", "savee"]\nprotocol = "strict"\npatience = 60\n']
    told(fuzz(seeds, read, 7))
