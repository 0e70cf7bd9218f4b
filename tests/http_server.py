"""Servers for tests of downloads: one that sends prescribed answers, and one that publishes files, with faults."""

from __future__ import annotations

import hashlib
import json
import re
import socketserver
import threading
from collections.abc import Callable
from typing import Any


class Server:
    """A server whose answer to the n-th request is `answers[n]`, raw bytes or a function that writes."""

    def __init__(self) -> None:
        self.answers: list = []
        self.requests: list[str] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                lines = []
                while (line := self.rfile.readline()).strip():
                    lines.append(line.decode().strip())
                outer.requests.append("\n".join(lines))
                answer = outer.answers[min(len(outer.requests), len(outer.answers)) - 1]
                if callable(answer):
                    answer(self)
                else:
                    self.wfile.write(answer)

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *ignored: object) -> None:
                pass

        self._server = Threads(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(content: bytes = b"", status: str = "200 OK", cut: int | None = None, **headers: str) -> bytes:
    fields = {"Content-Length": str(len(content)), "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + (content if cut is None else content[:cut])


Fault = Callable[[Any, bytes, int], None]
"""Writes something else than the requested content: gets the handler, the content, and the begin of the request."""


class Publisher(Server):
    """A server of files by path, with ranges and ETags, and of records like those of Zenodo.

    Attributes:
        files: the content by path.
        faults: what the next requests for files get instead; None for the content.
        validators: whether it sends ETags.
        sent: number of bytes of content that were sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.records: dict[str, dict] = {}
        self.faults: list[Fault | None] = []
        self.validators = True
        self.sent = 0
        self.answers = [self._respond]

    @property
    def paths(self) -> list[str]:
        """The paths that were requested."""
        return [request.split()[1] for request in self.requests]

    def add_record(self, number: str, **contents: bytes) -> None:
        """Publish a record with a file `NAME.zip` for each argument; its links redirect to the content."""
        files = []
        for name, content in contents.items():
            link = f"/api/records/{number}/files/{name}.zip/content"
            self.redirects[link] = f"/storage/{number}-{name}"
            self.files[f"/storage/{number}-{name}"] = content
            files.append({
                "id": f"id-{name}", "key": f"{name}.zip", "size": len(content),
                "checksum": f"md5:{hashlib.md5(content).hexdigest()}", "links": {"self": self.url + link},
            })  # fmt: skip
        self.records[f"/api/records/{number}"] = {
            "id": int(number), "conceptrecid": "41", "doi": f"10.5281/zenodo.{number}", "files": files,
            "metadata": {"title": "A corpus", "license": {"id": "cc-by-4.0"}}, "stats": {"downloads": 3},
        }  # fmt: skip

    def _respond(self, handler: Any) -> None:
        request = self.requests[-1]
        path = request.split()[1]
        if path in self.records:
            handler.wfile.write(answer(json.dumps(self.records[path]).encode(), Content_Type="application/json"))
        elif path in self.redirects:
            handler.wfile.write(answer(b"", "302 Found", Location=self.redirects[path]))
        elif path in self.files:
            content = self.files[path]
            asked = re.search(r"^Range: bytes=(\d+)-", request, re.MULTILINE)
            condition = re.search(r"^If-Range: (.+)", request, re.MULTILINE)
            current = condition is None or condition[1].strip() == etag(content)
            fault = self.faults.pop(0) if self.faults else None
            (fault or self.send)(handler, content, int(asked[1]) if asked and current else 0)
        else:
            handler.wfile.write(answer(b"gone", "404 Not Found"))

    def send(self, handler: Any, content: bytes, begin: int = 0, cut: int | None = None) -> None:
        """Send the content from `begin` on, with the headers for all of it, and close after `cut` bytes."""
        fields = {"ETag": etag(content) if self.validators else ""}
        if begin:
            fields["Content_Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        status = "206 Partial Content" if begin else "200 OK"
        self.sent += len(content[begin:][:cut])
        handler.wfile.write(answer(content[begin:], status, cut, **fields))

    def cut(self, length: int) -> Fault:
        """A fault that closes the connection after some bytes."""
        return lambda handler, content, begin: self.send(handler, content, begin, length)


def etag(content: bytes) -> str:
    """The ETag of a content."""
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'
