"""Downloads: whole, resumed, refused, from a mirror, and without a network."""

from __future__ import annotations

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from serab_core.errors import WeightsError
from serab_core.store.fetch import fetch
from serab_core.types import WeightFile

CONTENT = bytes(range(256)) * 2000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; `/broken` closes after half of it, `/other` has something else, `/slow` says nothing."""

    requests: list

    def do_GET(self):
        asked = self.headers.get("Range", "")
        type(self).requests.append((self.path, asked))
        if self.path == "/gone":
            self.send_error(404)
            return
        content = CONTENT if self.path != "/other" else b"<html>"
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and self.headers.get("If-Range") != '"v1"':
            begin = 0
        self.send_response(206 if begin else 200)
        self.send_header("ETag", '"v1"')
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        rest = content[begin:]
        half = self.path == "/broken" and not begin
        self.wfile.write(rest[: len(rest) // 2] if half else rest)
        if half:
            self.wfile.flush()
            self.connection.close()

    def log_message(self, *ignored):
        pass


@pytest.fixture
def server(monkeypatch):
    Handler.requests = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.handle_error = lambda *ignored: None
    threading.Thread(target=made.serve_forever, daemon=True).start()
    monkeypatch.setenv("SERAB_TEST_HTTP", f"127.0.0.1:{made.server_port}")
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def test_a_whole_file_with_progress(home, server, quiet):
    home.ensure()
    got = fetch(home, "x", WeightFile("w.bin", f"{server}/w.pth", SHA), quiet)
    assert got.read_bytes() == CONTENT
    assert [p.name for p in got.parent.iterdir()] == [got.name]


def test_a_broken_download_goes_on_where_it_stopped(home, server, quiet):
    home.ensure()
    weight = WeightFile("w.bin", f"{server}/broken", SHA)
    with pytest.raises(WeightsError, match="cannot download"):
        fetch(home, "x", weight, quiet)
    (partial,) = (home.weights / "downloads").glob("*.partial")
    have = partial.stat().st_size
    assert 0 < have < len(CONTENT)
    assert fetch(home, "x", weight, quiet).read_bytes() == CONTENT
    assert Handler.requests[-1] == ("/broken", f"bytes={have}-")


def test_a_part_of_another_version_is_not_used(home, server, quiet):
    home.ensure()
    weight = WeightFile("w.bin", f"{server}/broken", SHA)
    with pytest.raises(WeightsError):
        fetch(home, "x", weight, quiet)
    (note,) = (home.weights / "downloads").glob("*.json")
    note.write_text(note.read_text().replace('\\"v1\\"', '\\"v0\\"'))
    assert "v0" in note.read_text()
    with pytest.raises(WeightsError):  # from the beginning again, and closed after half again
        fetch(home, "x", weight, quiet)
    assert fetch(home, "x", weight, quiet).read_bytes() == CONTENT


def test_mirrors_are_tried_in_turn(home, server, quiet):
    home.ensure()
    weight = WeightFile("w.bin", f"{server}/gone", SHA, mirrors=(f"{server}/other", f"{server}/w.pth"))
    assert fetch(home, "x", weight, quiet).read_bytes() == CONTENT
    assert [path for path, _ in Handler.requests] == ["/gone", "/other", "/w.pth"]


def test_what_went_wrong_is_told(home, server, quiet):
    home.ensure()
    weight = WeightFile("w.bin", f"{server}/gone", SHA, len(CONTENT), "MIT", mirrors=(f"{server}/other",))
    with pytest.raises(WeightsError) as caught:
        fetch(home, "my-model", weight, quiet)
    text = str(caught.value)
    assert "404" in text
    assert SHA in text
    assert "serab weights import my-model FILE" in text


def test_without_a_network_it_ends_soon(home, quiet):
    home.ensure()
    begin = time.monotonic()
    with pytest.raises(WeightsError, match="no connection"):
        fetch(home, "x", WeightFile("w.bin", "https://127.0.0.1:9/w.pth", SHA), quiet)
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/w.pth",
        "ftp://example.org/w.pth",
        "file:///etc/passwd",
        "http://127.0.0.1:8/w.pth",
        "http://localhost/w.pth",
        "https:///w.pth",
    ],
)
def test_only_https_is_taken(home, quiet, url):
    home.ensure()
    with pytest.raises(WeightsError, match="not https"):
        fetch(home, "x", WeightFile("w.bin", url, SHA), quiet)


def test_more_than_was_promised_is_not_kept(home, server, quiet, monkeypatch):
    from serab_core.store import fetch as module

    home.ensure()
    with pytest.raises(WeightsError, match="has 512,000 bytes, and 100,000 are allowed"):
        fetch(home, "x", WeightFile("w.bin", f"{server}/w.pth", SHA, 100_000), quiet)
    monkeypatch.setattr(module, "MAX_BYTES", 50_000)
    with pytest.raises(WeightsError, match="has 512,000 bytes, and 50,000 are allowed"):
        fetch(home, "x", WeightFile("w.bin", f"{server}/w.pth", SHA), quiet)
    assert [path.stat().st_size for path in (home.weights / "downloads").glob("*.partial")] in ([], [0])
