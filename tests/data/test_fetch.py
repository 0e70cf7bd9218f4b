"""Fetching corpora from a server on this machine: whole, resumed, from a mirror, refused, interrupted, reused."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import sys
import time
import zipfile
from dataclasses import replace

import pytest

import serab as api
from serab_core import plugins
from serab_core.data import fetch as module
from serab_core.errors import DataError, OfflineError, StoreError, UsageError
from serab_core.store import download as download_module
from serab_core.system.offline import enable_network
from serab_core.system.session import change_session
from serab_core.types import ManualSource, RemoteFile, UrlSource, ZenodoSource
from tests.http_server import Publisher

PLUGIN = """
import dataclasses
from serab_toys import tones
from serab_core.plugin import ManualSource, RemoteFile, UrlSource, ZenodoSource, hookimpl

@hookimpl
def serab_register_datasets(register):
    register(dataclasses.replace(tones.SPEC, name="netted", title="Netted", sources={sources!r}))
"""


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def site_of_files(monkeypatch):
    publisher = Publisher()
    monkeypatch.setenv("SERAB_TEST_HTTP", f"127.0.0.1:{publisher.port}")
    yield publisher
    publisher.close()
    enable_network()  # after tests of offline mode


@pytest.fixture
def contents(tones_folder):
    """The toy corpus in two archives."""
    archives = []
    for speakers in ("abc", "def"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in sorted((tones_folder / "wav").iterdir()):
                if path.name[0] in speakers:
                    archive.write(path, path.name)
        archives.append(buffer.getvalue())
    return archives


@pytest.fixture
def corpus(site_of_files, contents, add_plugin):
    """`corpus(source, ...)` installs a corpus with these sources, by default at addresses; returns its spec."""
    site_of_files.files = {"/one.zip": contents[0], "/two.zip": contents[1]}
    site_of_files.add_record("42", one=contents[0], two=contents[1])

    def install(*sources):
        add_plugin("p-netted", "serab.datasets", "netted", PLUGIN.format(sources=sources or (url_source(),)))
        return plugins.dataset("netted")

    def url_source(prefix="", wrong=""):
        files = [
            RemoteFile(
                f"{name}.zip", len(content), wrong or sha256(content), url=f"{site_of_files.url}{prefix}/{name}.zip"
            )
            for name, content in zip(("one", "two"), contents, strict=True)
        ]
        return UrlSource(tuple(files))

    def zenodo_source(*pins):
        names = ("one.zip", "two.zip")
        files = [RemoteFile(name, **pin) for name, pin in zip(names, pins or ({}, {}), strict=True)]
        return ZenodoSource("42", tuple(files), f"{site_of_files.url}/api/records")

    install.url, install.zenodo = url_source, zenodo_source
    return install


FETCH = ("data", "fetch", "netted", "--accept-licence")


def test_from_an_address(corpus, serab, home, site_of_files, contents):
    corpus()
    code, out, err = serab(*FETCH)
    assert code == 0, err
    assert "licence  none" in err
    assert f"{site_of_files.url}/one.zip, {site_of_files.url}/two.zip" in err
    assert "Fetching one.zip (kB)" in err
    assert "Netted is prepared: 54 utterances" in out
    assert (
        f"note: downloaded {site_of_files.url}/one.zip: {len(contents[0]):,} bytes, sha256 {sha256(contents[0])}" in out
    )
    assert out.endswith("next: `serab eval opensmile --tasks netted`\n")
    assert not (home.downloads / "netted").exists()
    assert site_of_files.sent == sum(map(len, contents))
    site_of_files.requests.clear()
    code, out, err = serab("data", "fetch", "netted")  # prepared: nothing to download, and nothing to accept
    assert (code, site_of_files.requests, err) == (0, [], "")
    assert "netted is prepared already" in out
    code, out, _ = serab("eval", "toy", "--tasks", "netted", "-c", "centroid", "-j", "1")
    assert code == 0


def test_from_a_record(corpus, serab, site_of_files, contents):
    pins = [{"size": len(content), "md5": md5(content)} for content in contents]
    corpus(corpus.zenodo(*pins))
    document = json.loads(serab(*FETCH, "--json")[1])
    (row,) = document["corpora"]
    assert row["prepared"]["utterances"] == 54
    assert [file["sha256"] for file in row["files"]] == [sha256(content) for content in contents]
    assert all(file["pinned"] for file in row["files"])
    assert site_of_files.paths == [
        "/api/records/42",
        "/api/records/42/files/one.zip/content", "/storage/42-one",
        "/api/records/42/files/two.zip/content", "/storage/42-two",
    ]  # fmt: skip


def test_a_record_that_the_plugin_does_not_pin_is_checked_by_its_own_md5(corpus, serab, site_of_files):
    corpus(corpus.zenodo())
    code, out, err = serab(*FETCH)
    assert code == 0, err
    assert "the publisher alone states the checksum: `serab data verify netted`" in out
    assert serab("data", "remove", "netted", "--yes")[0] == 0
    site_of_files.files["/storage/42-one"] = b"x" * len(site_of_files.files["/storage/42-one"])
    assert serab(*FETCH)[0] == 5


@pytest.mark.parametrize("change", ["md5", "size", "gone", "no md5", "no json", "other json"])
def test_a_record_that_has_changed(corpus, serab, site_of_files, contents, change):
    pins = [{"size": len(content), "md5": md5(content)} for content in contents]
    corpus(corpus.zenodo(*pins) if change in ("md5", "size") else corpus.zenodo())
    file = site_of_files.records["/api/records/42"]["files"][0]
    if change == "md5":
        file["checksum"] = f"md5:{md5(b'other')}"
    elif change == "size":
        file["size"] += 1
    elif change == "gone":
        file["key"] = "ONE.zip"
    elif change == "no md5":
        file["checksum"] = "crc32:1234"
    elif change == "no json":
        site_of_files.files["/api/records/42"] = b"<html>"
        del site_of_files.records["/api/records/42"]
    else:
        site_of_files.records["/api/records/42"] = {"files": "none"}
    code, _, err = serab(*FETCH)
    assert code == 5
    text = {"md5": md5(b"other"), "size": "the record has changed", "gone": "has no file one.zip", "no md5": "no md5"}
    assert text.get(change, "is not a record with files") in err
    if change == "md5":
        assert md5(contents[0]) in err
    assert not [path for path in site_of_files.paths if "content" in path]


@pytest.mark.parametrize("validators", [True, False])
def test_an_interrupted_download_is_resumed(corpus, serab, site_of_files, home, contents, validators):
    corpus()
    site_of_files.validators = validators
    half = len(contents[0]) // 2
    site_of_files.faults = [site_of_files.cut(half)]
    code, _, err = serab(*FETCH)
    assert code == 5
    assert f"{site_of_files.url}/one.zip" in err
    assert "run the same command again, which resumes the download" in err
    assert (home.downloads / "netted" / "one.zip.partial").stat().st_size == half
    assert serab(*FETCH)[0] == 0
    assert f"Range: bytes={half}-" in site_of_files.requests[1]
    assert site_of_files.sent == sum(map(len, contents))


def test_ctrl_c_loses_nothing(corpus, serab, site_of_files, home, contents, monkeypatch):
    spec = corpus()
    pieces = download_module.HttpStream.pieces

    def interrupted(stream):
        yield next(pieces(stream))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download_module.HttpStream, "pieces", interrupted)
        code, _, err = serab(*FETCH)
    assert code == 130
    assert "interrupted by the user" in err
    part = home.downloads / "netted" / "one.zip.partial"
    received = part.stat().st_size
    assert contents[0].startswith(part.read_bytes())
    assert serab(*FETCH)[0] == 0
    assert f"Range: bytes={received}-" in site_of_files.requests[1]
    assert home_files(home, spec) == []


def home_files(home, spec):
    return [path for path in module.download_folder(spec, home, None).rglob("*") if path.is_file()]


def test_a_wrong_byte_is_refused_and_the_mirror_is_used(corpus, serab, site_of_files, home, contents):
    wrong = bytearray(contents[0])
    wrong[100] ^= 1
    site_of_files.files["/one.zip"] = bytes(wrong)
    spec = corpus()
    code, _, err = serab(*FETCH)
    assert code == 5
    assert sha256(bytes(wrong)) in err
    assert sha256(contents[0]) in err
    assert home_files(home, spec) == []
    site_of_files.files |= {"/mirror/one.zip": contents[0], "/mirror/two.zip": contents[1]}
    mirrored = replace(spec, sources=(corpus.url(), corpus.url("/mirror")))
    files, prepared = module.fetch(mirrored, home, quiet_progress())
    assert prepared.summary()["utterances"] == 54
    assert [file.url.partition(site_of_files.url)[2] for file in files] == ["/mirror/one.zip", "/mirror/two.zip"]


def quiet_progress():
    from serab_core.report.progress import Silent

    return Silent()


def test_a_mirror_does_not_replace_the_part_of_the_first_source(corpus, site_of_files, home, contents):
    spec = replace(corpus(), sources=(corpus.url(), corpus.url("/mirror")))
    site_of_files.files |= {"/mirror/one.zip": contents[0], "/mirror/two.zip": contents[1]}
    site_of_files.faults = [site_of_files.cut(900), site_of_files.cut(500)]
    with pytest.raises(DataError):
        module.fetch(spec, home, quiet_progress())
    sizes = {path.parent.name: path.stat().st_size for path in home_files(home, spec) if path.suffix == ".partial"}
    assert sizes == {"netted": 900, "mirror-1": 500}
    module.fetch(spec, home, quiet_progress(), prepares=False)
    assert "Range: bytes=900-" in site_of_files.requests[2]


def test_plain_http_needs_a_checksum(corpus, serab, site_of_files, monkeypatch):
    monkeypatch.delenv("SERAB_TEST_HTTP")
    corpus()
    assert serab(*FETCH)[0] == 0
    with pytest.raises(ValueError, match="needs an address and a checksum"):
        UrlSource((RemoteFile("a.zip", url="https://example.org/a.zip"),))


def test_a_record_is_never_read_over_plain_http(corpus, serab, site_of_files, monkeypatch):
    monkeypatch.delenv("SERAB_TEST_HTTP")
    corpus(corpus.zenodo())
    code, _, err = serab(*FETCH)
    assert (code, site_of_files.requests) == (5, [])
    assert "not https" in err


def test_a_trickle_that_is_fast_enough(corpus, serab, site_of_files):
    def slow(handler, content, begin):
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode())
        for at in range(0, len(content), 20_000):
            handler.wfile.write(content[at : at + 20_000])
            time.sleep(0.05)

    corpus()
    site_of_files.faults = [slow]
    assert serab(*FETCH)[0] == 0


def test_the_space_is_checked_first(corpus, serab, site_of_files, home, contents, monkeypatch):
    corpus()
    usage = type("Usage", (), {"free": sum(map(len, contents)) - 1})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    code, _, err = serab(*FETCH)
    assert (code, site_of_files.requests) == (6, [])
    assert "0 MB are free" in err
    assert "--to DIR" in err
    usage.free += 1
    assert serab(*FETCH)[0] == 0


def test_a_full_disk_keeps_what_was_received(corpus, serab, site_of_files, home, contents, monkeypatch):
    spec = corpus()

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    site_of_files.faults = [site_of_files.cut(1000)]
    serab(*FETCH)
    with monkeypatch.context() as patch:
        patch.setattr(download_module, "_flush", full)
        code, _, err = serab(*FETCH)
    assert code == 6
    assert "no space left on device" in err
    assert "free some space there" in err
    assert not (home.downloads / "netted" / "one.zip").exists()
    assert serab(*FETCH)[0] == 0
    assert home_files(home, spec) == []


def test_a_dry_run_downloads_nothing(corpus, serab, site_of_files, home, contents):
    corpus(corpus.url(), ManualSource("ask for one.zip and two.zip at example.org"))
    code, out, _ = serab("--offline", "data", "fetch", "netted", "--dry-run")
    assert code == 0
    assert "licence  none" in out
    (row,) = json.loads(serab("data", "fetch", "netted", "--dry-run", "--json")[1])["corpora"]
    assert row["download_bytes"] == sum(map(len, contents))
    assert [source["kind"] for source in row["sources"]] == ["url", "manual"]
    assert row["sources"][1]["text"] == "ask for one.zip and two.zip at example.org"
    assert site_of_files.requests == []
    assert not home.downloads.exists()


def test_the_licence_must_be_accepted(corpus, serab, site_of_files, monkeypatch):
    import typer

    corpus()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    code, _, err = serab("data", "fetch", "netted")
    assert (code, site_of_files.requests) == (2, [])
    assert "the licence of Netted (none)" in err
    assert "add --accept-licence" in err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, expected in ((False, 2), (True, 0)):
        monkeypatch.setattr(typer, "confirm", lambda text, answer=answer, **options: answer)
        assert serab("data", "fetch", "netted")[0] == expected


def test_offline_mode_refuses(corpus, serab, site_of_files, home):
    spec = corpus()
    code, _, err = serab("--offline", *FETCH)
    assert (code, site_of_files.requests) == (14, [])
    assert "then prepare it with `serab data prepare netted PATH`" in err
    change_session(offline=True)
    with pytest.raises(OfflineError):
        module.fetch(spec, home, quiet_progress())


def test_a_download_is_kept_and_reused(corpus, serab, site_of_files, tmp_path, home, contents):
    corpus()
    folder = tmp_path / "kept"
    code, out, _ = serab(*FETCH, "--to", str(folder), "--no-prepare")
    assert code == 0
    assert f"next: `serab data prepare netted {folder}/one.zip {folder}/two.zip`" in out
    assert f"{len(contents[0]):,} bytes, sha256 {sha256(contents[0])}" in out
    assert sorted(path.name for path in folder.iterdir()) == ["one.zip", "two.zip"]
    site_of_files.requests.clear()
    assert serab(*FETCH, "--to", str(folder))[0] == 0
    assert site_of_files.requests == []
    assert sorted(path.name for path in folder.iterdir()) == ["one.zip", "two.zip"]
    assert serab("data", "verify", "netted")[0] == 0


def test_a_file_of_the_user_is_not_replaced(corpus, serab, site_of_files, tmp_path):
    corpus()
    (tmp_path / "one.zip").write_bytes(b"mine")
    code, _, err = serab(*FETCH, "--to", str(tmp_path))
    assert (code, site_of_files.requests) == (5, [])
    assert "the name is taken" in err
    assert (tmp_path / "one.zip").read_bytes() == b"mine"


def test_a_damaged_file_in_the_home_is_downloaded_again(corpus, serab, home, contents):
    corpus()
    assert serab(*FETCH, "--no-prepare")[0] == 0
    path = home.downloads / "netted" / "one.zip"
    path.write_bytes(contents[0][:-1] + b"?")
    assert serab(*FETCH, "--no-prepare")[0] == 0
    assert path.read_bytes() == contents[0]


def test_an_abandoned_download_can_be_cleared(corpus, serab, home):
    corpus()
    assert serab(*FETCH, "--no-prepare")[0] == 0
    folder = home.downloads / "netted"
    assert str(folder) not in serab("cache", "gc")[1]
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    assert "a download of netted that was not used for a week" in " ".join(serab("cache", "gc")[1].split())
    assert serab("cache", "gc", "--yes")[0] == 0
    assert not folder.exists()


def test_a_download_that_cannot_be_prepared_stays(corpus, serab, home, site_of_files, contents):
    spec = corpus()
    whole = replace(spec, sources=(UrlSource(corpus.url().files[:1]),))
    with pytest.raises(DataError, match="27 of 54 utterances"):
        module.fetch(whole, home, quiet_progress())
    assert [path.read_bytes() for path in home_files(home, spec)] == [contents[0]]


def test_from_python(corpus, site_of_files, tmp_path):
    corpus()
    with pytest.raises(UsageError, match="add accept_licence=True"):
        api.fetch("netted")
    assert api.fetch("netted", accept_licence=True, to=tmp_path / "kept", progress=False).utterances == 54
    site_of_files.requests.clear()
    assert api.fetch("netted").speakers == 6
    assert site_of_files.requests == []
    assert (tmp_path / "kept" / "one.zip").is_file()


def test_corpora_without_a_download(corpus, serab, site_of_files, toys):
    corpus()
    code, _, err = serab("data", "fetch", "netted", "tones", "--accept-licence")
    assert (code, site_of_files.requests) == (5, [])
    assert "tones: Tones cannot be downloaded by a program. Next: the tests write it; then" in err
    code, _, err = serab("data", "fetch", "hums")
    assert code == 2
    assert "`serab data prepare hums`" in err
    rows = {row["name"]: row for row in json.loads(serab("data", "list", "--json")[1])["datasets"]}
    assert {name: rows[name]["access"] for name in ("netted", "tones", "hums")} == {
        "netted": "fetchable", "tones": "manual", "hums": "generated"
    }  # fmt: skip
    assert "netted: serab data fetch netted" in serab("data", "list")[1]
    code, _, err = serab("eval", "toy", "--tasks", "netted")
    assert code == 5
    assert "run `serab data fetch netted`, or" in err


@pytest.mark.parametrize("name", ["", "../a.zip", "a/b.zip", "a\\b.zip", ".hidden", "a\n.zip"])
def test_names_with_folders_are_refused(name):
    with pytest.raises(ValueError, match="is not the name of a file"):
        RemoteFile(name)


@pytest.mark.parametrize("digest", [{"md5": "0" * 31}, {"sha256": "A" * 64}, {"md5": "0" * 64}])
def test_checksums_are_checksums(digest):
    with pytest.raises(ValueError, match="in lower case"):
        RemoteFile("a.zip", **digest)


def test_a_home_that_cannot_be_written(corpus, tmp_path):
    spec = corpus()
    (tmp_path / "file").write_bytes(b"")
    from serab_core.store.home import Home

    with pytest.raises(StoreError):
        module.fetch(spec, Home(tmp_path / "file"), quiet_progress())
