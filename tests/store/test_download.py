"""Downloads from servers that deceive, trickle, compress or change the file, and what a killed download leaves."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
import time

import pytest

from serab_core.store import http_stream as module
from serab_core.store.download import download, sweep_downloads
from serab_core.store.http_stream import DownloadError
from tests.documents import check_document
from tests.http_server import Server, answer

CONTENT = bytes(range(256)) * 400
SHA = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]
HALF = len(CONTENT) // 2


HALF_OF_V1 = answer(CONTENT, cut=HALF, ETag='"v1"')


def rest(content: bytes = CONTENT, begin: int = HALF, **headers: str) -> bytes:
    fields = {"Content_Range": f"bytes {begin}-{len(content) - 1}/{len(content)}", "ETag": '"v1"'} | headers
    return answer(content[begin:], "206 Partial Content", **fields)


@pytest.fixture
def server(monkeypatch):
    made = Server()
    monkeypatch.setenv("SERAB_TEST_HTTP", f"127.0.0.1:{made.port}")
    yield made
    made.close()


@pytest.fixture
def get(tmp_path, server, quiet):
    """`get(*answers)` downloads a file from a server that answers so."""

    def run(*answers, **options):
        server.answers = list(answers) or server.answers
        server.requests.clear()
        path = "/w.bin" if "path" not in options else options.pop("path")
        return download(f"{server.url}{path}", tmp_path / "folder" / "w.bin", progress=quiet, **options)

    return run


def left(tmp_path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in (tmp_path / "folder").iterdir()}


def interrupted(get):
    with pytest.raises(DownloadError, match="connection closed"):
        get(HALF_OF_V1, sha256=SHA)


def test_a_part_is_resumed_when_the_server_confirms_its_version(get, server, tmp_path):
    interrupted(get)
    assert left(tmp_path) == {"w.bin.partial": HALF, "w.bin.json": left(tmp_path)["w.bin.json"]}
    assert get(rest(), sha256=SHA).read_bytes() == CONTENT
    assert f"Range: bytes={HALF}-" in server.requests[0]
    assert 'If-Range: "v1"' in server.requests[0]
    assert left(tmp_path) == {"w.bin": len(CONTENT)}


@pytest.mark.parametrize(
    "answer_to_range",
    [
        rest(ETag='"v2"'),
        rest(Content_Range=""),
        rest(Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"),
        rest(Content_Range=f"bytes {HALF}-{len(CONTENT) - 1}/{len(CONTENT) + 5}"),
        rest(Content_Range="bytes x"),
        rest(Last_Modified="Tue, 01 Jan 2030 00:00:00 GMT"),
        answer(b"", "416 Range Not Satisfiable"),
    ],
)
def test_parts_of_two_versions_are_never_joined(get, server, answer_to_range):
    """Without a checksum, nothing else would notice."""
    with pytest.raises(DownloadError):
        get(HALF_OF_V1)
    assert get(answer_to_range, answer(OTHER, ETag='"v2"')).read_bytes() == OTHER
    assert "Range" in server.requests[0]
    assert "Range" not in server.requests[1]


def test_a_server_that_has_another_version_sends_it_whole(get):
    interrupted(get)
    assert get(answer(CONTENT, ETag='"v2"'), sha256=SHA).read_bytes() == CONTENT


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"v1"'}])
def test_a_part_without_a_strong_validator_is_not_resumed(get, server, headers):
    with pytest.raises(DownloadError):
        get(answer(CONTENT, cut=HALF, **headers))
    assert get(answer(CONTENT)).read_bytes() == CONTENT
    assert "Range" not in server.requests[0]


def test_last_modified_is_a_validator(get, server):
    moment = "Tue, 01 Jan 2030 00:00:00 GMT"
    with pytest.raises(DownloadError):
        get(answer(CONTENT, cut=HALF, Last_Modified=moment))
    assert get(rest(ETag="", Last_Modified=moment)).read_bytes() == CONTENT
    assert f"If-Range: {moment}" in server.requests[0]


@pytest.mark.parametrize(
    "note",
    [b"", b"{", b"[]", b"3", b"null", b'{"etag": 3}', b'{"schema": "serab.download/1"}', b"\xff\xfe", b"[" * 100_000,
     b'{"schema": "serab.download/1", "url": 3}', b'{"schema": "serab.download/1", "url": "x", "etag": "a\\r\\nb"}'],
)  # fmt: skip
def test_an_unreadable_note_begins_the_download_anew(get, server, tmp_path, note):
    interrupted(get)
    (tmp_path / "folder" / "w.bin.json").write_bytes(note)
    assert get(answer(CONTENT, ETag='"v1"'), sha256=SHA).read_bytes() == CONTENT
    assert "Range" not in server.requests[0]
    assert left(tmp_path) == {"w.bin": len(CONTENT)}


def test_identity_is_asked_for_and_compressed_answers_are_refused(get, server, tmp_path):
    bomb = gzip.compress(b"\0" * 5_000_000)
    with pytest.raises(DownloadError, match="the server compresses the file by 'gzip'"):
        get(answer(bomb, Content_Encoding="gzip"))
    assert "Accept-Encoding: identity" in server.requests[0]
    got = get(answer(bomb, Content_Encoding="gzip"), path="/corpus.tar.gz")  # what some servers say of such a file
    assert got.read_bytes() == bomb


@pytest.mark.parametrize("length", ["", "chunked"])
def test_more_than_the_limit_is_not_kept(get, tmp_path, length):
    def endless(handler):
        fields = "Transfer-Encoding: chunked\r\n" if length else ""
        handler.wfile.write(f"HTTP/1.1 200 OK\r\n{fields}Connection: close\r\n\r\n".encode())
        piece = b"x" * 65536
        for _ in range(1000):
            handler.wfile.write(b"10000\r\n" + piece + b"\r\n" if length else piece)

    with pytest.raises(DownloadError, match="sends more than the 100,000 bytes|does not send the length"):
        get(endless, max_bytes=100_000)
    assert left(tmp_path).get("w.bin.partial", 0) <= 100_000
    with pytest.raises(DownloadError, match="sends more than the 90,000 bytes"):
        get(endless, size=90_000)


def test_a_trickle_has_an_end(get, monkeypatch):
    monkeypatch.setattr(module, "WINDOW_S", 0.5)

    def trickle(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    begin = time.monotonic()
    with pytest.raises(DownloadError, match=r"bytes in 0.5 seconds"):
        get(trickle)
    assert time.monotonic() - begin < 3


def test_a_trickle_of_headers_has_an_end(get):
    def trickle(handler):
        for _ in range(100):
            handler.wfile.write(b"H")
            time.sleep(0.05)

    begin = time.monotonic()
    with pytest.raises(DownloadError, match="no response"):
        get(trickle, response_s=0.3)
    assert time.monotonic() - begin < 2


def test_a_slow_server_that_is_fast_enough_is_read(get, monkeypatch):
    monkeypatch.setattr(module, "WINDOW_S", 0.2)
    monkeypatch.setattr(module, "_CHUNK", 4096)

    def slow(handler):
        handler.wfile.write(answer(b"", Content_Length=str(len(CONTENT))))
        for at in range(0, len(CONTENT), 4096):
            handler.wfile.write(CONTENT[at : at + 4096])
            time.sleep(0.02)

    assert get(slow, sha256=SHA).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "scheme", ["http://127.0.0.2:{port}", "http://localhost:{port}", "http://example.org", "ftp://x"]
)
def test_each_hop_must_be_safe(get, server, scheme):
    with pytest.raises(DownloadError, match="which is not https"):
        get(answer(b"", "302 Found", Location=scheme.format(port=server.port) + "/x"))
    assert len(server.requests) == 1


def test_a_hop_over_plain_http_is_refused_though_it_leads_back(get, server):
    other = Server()
    other.answers = [answer(b"", "302 Found", Location=f"{server.url}/w.bin")]
    try:
        with pytest.raises(DownloadError, match="which is not https"):
            get(answer(b"", "302 Found", Location=f"{other.url}/x"), answer(CONTENT))
        assert other.requests == []
    finally:
        other.close()


def test_safe_hops_are_followed_and_circles_end(get, server):
    assert get(answer(b"", "302 Found", Location="/else"), answer(CONTENT), sha256=SHA).read_bytes() == CONTENT
    assert server.requests[1].startswith("GET /else")


def test_a_circle_of_redirects_ends(get):
    with pytest.raises(DownloadError, match="it redirects more than"):
        get(answer(b"", "302 Found", Location="/w.bin"))


def test_a_wrong_checksum_or_size_is_not_kept(get, tmp_path):
    for options in ({"sha256": "0" * 64}, {"md5": "0" * 32}, {"size": 5}):
        with pytest.raises(DownloadError):
            get(answer(CONTENT), **options)
        assert "w.bin" not in left(tmp_path)
    got = get(answer(CONTENT), md5=hashlib.md5(CONTENT).hexdigest(), size=len(CONTENT))
    assert got.read_bytes() == CONTENT


def test_a_file_that_is_there_is_checked_and_not_fetched_again(get, server):
    path = get(answer(CONTENT), sha256=SHA)
    server.requests.clear()
    assert get(sha256=SHA) == path
    assert server.requests == []
    path.write_bytes(b"damaged")
    assert get(sha256=SHA).read_bytes() == CONTENT


def test_a_download_that_was_killed_before_its_rename_needs_no_network(get, server, tmp_path):
    interrupted(get)
    (tmp_path / "folder" / "w.bin.partial").write_bytes(CONTENT)
    assert get(sha256=SHA).read_bytes() == CONTENT
    assert server.requests == []


def test_what_was_not_flushed_is_not_resumed(get, server, tmp_path):
    """After a power cut the end of the part may be anything: the part goes on from where it was flushed."""
    interrupted(get)
    part = tmp_path / "folder" / "w.bin.partial"
    flushed = part.stat().st_size
    part.write_bytes(part.read_bytes() + b"garbage")
    assert flushed == HALF
    assert get(rest()).read_bytes() == CONTENT
    (tmp_path / "folder" / "w.bin").unlink()
    part.write_bytes(b"garbage")
    note = {"schema": "serab.download/1", "url": f"{server.url}/w.bin", "etag": '"v1"', "total": len(CONTENT)}
    (tmp_path / "folder" / "w.bin.json").write_text(json.dumps(note))
    assert get(answer(CONTENT, ETag='"v1"')).read_bytes() == CONTENT


def test_two_downloads_of_one_file_do_not_mix(get, server):
    inside, go_on = threading.Event(), threading.Event()

    def waits(handler):
        handler.wfile.write(answer(CONTENT, cut=100))
        handler.wfile.flush()
        inside.set()
        go_on.wait(5)
        handler.wfile.write(CONTENT[100:])

    outcomes = []
    server.answers = [waits]
    first = threading.Thread(target=lambda: outcomes.append(get(sha256=SHA)))
    first.start()
    assert inside.wait(5)
    with pytest.raises(DownloadError, match="another process is downloading"):
        get(sha256=SHA)
    go_on.set()
    first.join()
    assert outcomes[0].read_bytes() == CONTENT


def test_leftovers_go_after_a_week(tmp_path):
    old, new = tmp_path / "a.partial", tmp_path / "b.partial"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    assert sweep_downloads(tmp_path) == [old]
    assert sweep_downloads(tmp_path / "nowhere") == []
    assert new.exists()


def test_the_note_says_which_version_the_part_is_of(get, tmp_path, server):
    interrupted(get)
    note = json.loads((tmp_path / "folder" / "w.bin.json").read_text())
    check_document(note)
    assert note == {
        "schema": "serab.download/1", "url": f"{server.url}/w.bin", "etag": '"v1"', "last_modified": "",
        "total": len(CONTENT), "flushed": (tmp_path / "folder" / "w.bin.partial").stat().st_size,
    }  # fmt: skip
