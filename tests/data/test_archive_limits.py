"""Small archives that would fill memory or disk are refused as they are read; real corpora are not."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import tarfile
import tempfile
import tracemalloc
import zipfile
import zlib

import pytest

from serab_core.data import archive_limits
from serab_core.data.source import open_sources
from serab_core.errors import DataError

MB = 1 << 20


@pytest.fixture
def small_limit(monkeypatch):
    """4 MB may come out of an archive of any size, so that the tests are quick."""
    monkeypatch.setattr(archive_limits, "FREE_BYTES", 4 * MB)


def read_all(path, scratch=None) -> int:
    """Bytes that come out of a source before it ends or is refused."""
    with open_sources([path], scratch) as files:
        return sum(len(file.read()) for file in files)


def tar_with(path, members: dict[str, bytes], mode: str):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def header(name: str, kind: bytes, content: bytes) -> bytes:
    """A header of a tar of a special kind, with its content."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + b"\0" * (-len(content) % 512)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_unpacked_bytes_are_held_against_the_size_of_the_whole_archive(small_limit, tmp_path, mode):
    """Each member is small beside the archive, and all of them together are 300 times its size."""
    members = {"noise": os.urandom(50_000)} | {f"{number}.wav": b"\0" * MB for number in range(30)}
    with pytest.raises(DataError, match="unpacks to more than .* from archives of .* bytes"):
        read_all(tar_with(tmp_path / "bomb.tar", members, mode))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_of_a_zip_are_counted_together(small_limit, tmp_path, method):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", method) as archive:
        archive.writestr("noise", os.urandom(5_000))
        for number in range(20):
            archive.writestr(f"{number}.wav", b"\0" * MB)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_all(tmp_path / "bomb.zip")


def test_entries_that_share_one_content_are_counted_each(small_limit, tmp_path):
    """Entries of a zip's list may all point to the same bytes."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0000.wav", b"\0" * MB)
    content = path.read_bytes()
    start = content.index(b"PK\1\2")
    entry, end = content[start:-22], content[-22:]
    entries = b"".join(entry.replace(b"0000.wav", b"%04d.wav" % number) for number in range(50))
    end = end[:8] + struct.pack("<HHLL", 50, 50, len(entries), start) + end[20:]
    path.write_bytes(content[:start] + entries + end)
    with pytest.raises(DataError):  # zipfile refuses names that differ; newer ones refuse overlaps
        read_all(path)


def test_links_to_one_member_are_counted_each(small_limit, tmp_path):
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a.wav")
        info.size = MB
        archive.addfile(info, io.BytesIO(b"\0" * MB))
        for number in range(20):
            link = tarfile.TarInfo(f"{number}.wav")
            link.type, link.linkname = tarfile.LNKTYPE, "a.wav"
            archive.addfile(link)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_all(path)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_is_refused_before_it_fills_memory(tmp_path, kind):
    size = 100 * MB
    record = b"%d path=" % size
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        info = tarfile.TarInfo("x")
        info.type, info.size = kind, size
        file.write(info.tobuf(tarfile.USTAR_FORMAT) + record)
        for _ in range(size // MB):
            file.write(b"a" * MB)
        file.write(b"\n" + b"\0" * 2048)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="a file with a header of more than 1048576 bytes"):
            read_all(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * MB
    finally:
        tracemalloc.stop()


def test_many_headers_before_one_member_are_refused(tmp_path):
    record = b"30 comment=" + b"a" * 18 + b"\n"
    content = header("x", tarfile.XHDTYPE, record) * 2000 + header("a.wav", tarfile.REGTYPE, b"x")
    (tmp_path / "bomb.tar").write_bytes(content + b"\0" * 1024)
    with pytest.raises(DataError, match=r"header|damaged"):
        read_all(tmp_path / "bomb.tar")


def test_global_headers_are_limited(tmp_path, monkeypatch):
    monkeypatch.setattr("serab_core.data.archive_tar.MAX_GLOBAL_HEADERS", 50)
    records = b"".join(b"12 k%05d=x\n" % number for number in range(100))
    content = header("g", tarfile.XGLTYPE, records) + header("a.wav", tarfile.REGTYPE, b"x") + b"\0" * 1024
    (tmp_path / "bomb.tar").write_bytes(content)
    with pytest.raises(DataError, match="headers"):
        read_all(tmp_path / "bomb.tar")


def test_a_sparse_file_of_nothing_is_refused(small_limit, tmp_path):
    records = b""
    for text in (b"GNU.sparse.major=0", b"GNU.sparse.minor=1", b"GNU.sparse.name=a.wav",
                 b"GNU.sparse.size=1000000000", b"GNU.sparse.map=0,1"):  # fmt: skip
        records += b"%d %s\n" % (len(text) + 4, text)
    content = header("x", tarfile.XHDTYPE, records) + header("a.wav", tarfile.REGTYPE, b"x") + b"\0" * 1024
    (tmp_path / "bomb.tar").write_bytes(content)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_all(tmp_path / "bomb.tar")


def test_the_number_of_members_is_limited(tmp_path, monkeypatch):
    members = {f"{number}.wav": b"" for number in range(300)}
    tar_with(tmp_path / "a.tar.gz", members, "w:gz")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in members:
            archive.writestr(name, b"")
    for name in ("a.tar.gz", "a.zip"):
        assert read_all(tmp_path / name) == 0
    monkeypatch.setattr(archive_limits, "MAX_MEMBERS", 200)
    for name in ("a.tar.gz", "a.zip"):
        with pytest.raises(DataError, match="holds more than 200 files"):
            read_all(tmp_path / name)


def test_archives_within_archives_count_against_the_outer_one(small_limit, tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            archive.writestr(f"{number}.wav", b"\0" * MB)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.zip", inner.getvalue())
    with pytest.raises(DataError, match="unpacks to more than"):
        read_all(tmp_path / "outer.zip")


def test_archives_within_archives_lie_in_the_folder_for_them(tmp_path, monkeypatch):
    used = []
    real = tempfile.TemporaryFile

    def temporary(dir=None):  # noqa: A002
        used.append(dir)
        return real(dir=dir)

    monkeypatch.setattr("tempfile.TemporaryFile", temporary)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.wav", b"abc")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert read_all(tmp_path / "outer.zip", scratch) == len(inner.getvalue()) + 3
    assert used == [scratch]
    assert list(scratch.iterdir()) == []


def test_a_dictionary_of_xz_is_limited(tmp_path):
    content = bytearray(lzma.compress(b"\0" * 10240, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}]))
    # The dictionary's size is one byte of the block's header, whose checksum follows.
    at = 12
    length = (content[at] + 1) * 4
    place = content.index(b"\x21\x01", at) + 2
    content[place] = 40  # 4 GiB
    content[at + length - 4 : at + length] = struct.pack("<L", zlib.crc32(content[at : at + length - 4]))
    (tmp_path / "a.tar.xz").write_bytes(bytes(content))
    with pytest.raises(DataError, match="a memory of more than"):
        read_all(tmp_path / "a.tar.xz")


def test_one_silent_recording_in_an_ordinary_archive_is_read(tmp_path):
    """Silence deflates 1,000 times; what counts is the whole archive."""
    members = {f"{number}.wav": os.urandom(10_000) for number in range(5)} | {"silence.wav": b"\0" * (20 * MB)}
    for mode in ("w:gz", "w:bz2", "w:xz"):
        assert read_all(tar_with(tmp_path / f"a{mode[2:]}.tar", members, mode)) == 20 * MB + 50_000
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert read_all(tmp_path / "a.zip") == 20 * MB + 50_000


def test_reading_a_member_twice_counts_once(small_limit, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", b"\0" * (3 * MB))
    with open_sources([tmp_path / "a.zip"]) as files:
        for _ in range(4):
            assert len(files[0].read()) == 3 * MB
