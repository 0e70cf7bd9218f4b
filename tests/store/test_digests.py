"""A digest is read from the home only while the file is the same."""

from __future__ import annotations

import os
import time

import pytest

from serab_core.errors import StoreError
from serab_core.store import digests
from serab_core.store.weights import content_sha256, file_sha256


@pytest.fixture
def reads(home, monkeypatch):
    """The files that were hashed. Files are old enough to be remembered, and small ones are remembered, too."""
    paths = []

    def noted(path):
        paths.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(digests, "file_sha256", noted)
    monkeypatch.setattr(digests, "MIN_CACHED_BYTES", 0)
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)
    return paths


def test_a_file_is_read_once(reads, tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"abc")
    assert digests.known_sha256(path) == digests.known_sha256(path) == file_sha256(path)
    assert reads == ["w.pt"]


def put_back(path):
    """Writes other bytes of the same size, and puts the time of modification back."""
    before = path.stat()
    path.write_bytes(b"xyz")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path):
    """Puts another file of the same size and time in its place."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"xyz")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [put_back, replace, lambda path: path.write_bytes(b"longer")])
def test_a_changed_file_is_read_again(reads, tmp_path, change):
    path = tmp_path / "w.pt"
    path.write_bytes(b"abc")
    before = digests.known_sha256(path)
    time.sleep(0.02)  # more than the resolution of the kernel's times
    change(path)
    assert digests.known_sha256(path) == file_sha256(path) != before
    assert digests.outdated_records() == []


def test_a_file_that_was_just_written_is_not_remembered(reads, tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "SETTLED_S", 5.0)
    path = tmp_path / "w.pt"
    path.write_bytes(b"abc")
    for _ in range(2):
        digests.known_sha256(path)
    assert reads == ["w.pt", "w.pt"]


def test_a_damaged_record_is_written_anew(reads, home, tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"abc")
    digests.known_sha256(path)
    (record,) = (home.root / "digests").iterdir()
    for content in (b"", b"[]", b'{"schema": "serab.file-digest/1"}', b'{"schema": "serab.file-digest/1", "state": 1}'):
        record.write_bytes(content)
        assert digests.known_sha256(path) == file_sha256(path)
    record.write_bytes(b"")
    assert digests.outdated_records() == [record]
    digests.known_sha256(path)
    path.unlink()
    assert digests.outdated_records() == [record]
    with pytest.raises(StoreError, match="cannot be read"):
        digests.known_sha256(path)


def test_a_folder_has_the_digest_of_its_files(reads, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode())
    assert digests.known_content_sha256(folder) == content_sha256(folder)
    assert digests.known_content_sha256(folder) == content_sha256(folder)
    assert reads == ["a", "b"]


def test_a_home_that_cannot_be_written_is_no_error(reads, home, tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"abc")
    home.root.mkdir(parents=True, exist_ok=True)
    (home.root / "digests").write_text("a file in the way")
    assert digests.known_sha256(path) == file_sha256(path)
