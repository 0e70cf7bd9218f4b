"""Downloads of corpora with random faults: no wrong file is accepted, and no received byte is requested again."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

from serab_core import plugins
from serab_core.data.fetch import fetch
from serab_core.errors import DataError
from serab_core.store.home import Home
from serab_core.types import RemoteFile, UrlSource, ZenodoSource
from tests.faults.conftest import amount
from tests.http_server import Publisher, answer

SIZE = 40_000
HONEST = ("cut", "503", "close", "noise")
"""Faults after which a download must go on where it stopped: no wrong byte came with them."""
LYING = (
    "wrong byte",
    "other file",
    "longer",
    "shorter",
    "not the range",
    "wrong range",
    "gzip",
    "no length",
    "redirect",
)


def inject(kind: str, publisher: Publisher, rng: random.Random):
    def fault(handler, content, begin):
        write = handler.wfile.write
        if kind == "cut":
            publisher.send(handler, content, begin, rng.randrange(SIZE))
        elif kind == "503":
            write(answer(b"later", "503 Service Unavailable"))
        elif kind == "noise":
            write(rng.randbytes(50))
        elif kind == "wrong byte":
            damaged = bytearray(content)
            damaged[rng.randrange(begin, len(content))] ^= 1 << rng.randrange(8)
            write(answer(bytes(damaged[begin:]), **part(content, begin)))
        elif kind == "other file":
            publisher.send(handler, rng.randbytes(SIZE), begin)
        elif kind == "longer":
            publisher.send(handler, content + b"?", begin)
        elif kind == "shorter":
            publisher.send(handler, content[:-1], min(begin, SIZE - 2))
        elif kind == "not the range":
            publisher.send(handler, content, 0)
        elif kind == "wrong range":
            publisher.send(handler, content, rng.randrange(1, SIZE))
        elif kind == "gzip":
            write(answer(content, Content_Encoding="gzip"))
        elif kind == "no length":
            write(answer(content[: rng.randrange(SIZE)], Content_Length=""))
        elif kind == "redirect":
            write(answer(b"", "302 Found", Location=publisher.paths[-1]))

    return fault


def part(content: bytes, begin: int) -> dict[str, str]:
    """The status and headers of the part of a content."""
    if not begin:
        return {}
    return {"status": "206 Partial Content", "Content_Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}


def test_nothing_wrong_is_accepted_and_nothing_received_is_lost(toys, tmp_path, monkeypatch, quiet, report_fault):
    publisher = Publisher()
    monkeypatch.setenv("SERAB_TEST_HTTP", f"127.0.0.1:{publisher.port}")
    rounds, injected, refused = amount("DOWNLOADS", 12), 0, 0
    try:
        for seed in range(rounds):
            rng = random.Random(seed)
            kinds = rng.choices(HONEST if seed % 2 else HONEST + LYING, k=rng.randint(1, 6))
            publisher.validators = rng.random() < 0.7
            publisher.sent = 0
            publisher.faults = [inject(kind, publisher, rng) for kind in kinds]
            contents = {name: rng.randbytes(SIZE) for name in ("one", "two")}
            publisher.add_record(str(seed), **contents)
            spec = replace(plugins.dataset("tones"), sources=(source(publisher, seed, contents, rng),))
            home = Home(tmp_path / f"home-{seed}")
            received = 0
            while publisher.faults:
                before, complete = len(publisher.faults), False
                try:
                    fetch(spec, home, quiet, prepares=False)
                    complete = True
                except DataError:
                    refused += 1
                injected += before - len(publisher.faults)
                for path in home.downloads.rglob("*.zip"):
                    assert path.read_bytes() == contents[path.stem], (seed, kinds)
                present = sum(path.stat().st_size for path in home.downloads.rglob("*.zip*"))
                if seed % 2:
                    assert present >= received, (seed, kinds)
                received = present
                if complete:
                    break
            files, _ = retried(spec, home, quiet)
            assert {file.path.stem: file.path.read_bytes() for file in files} == contents
            assert [file.sha256 for file in files] == [hashlib.sha256(c).hexdigest() for c in contents.values()]
            if seed % 2:
                assert publisher.sent == 2 * SIZE, (seed, kinds)
    finally:
        publisher.close()
    assert injected >= 2 * rounds
    report_fault("downloads", rounds=rounds, faults=injected, refused=refused, wrong=0, lost=0)


def retried(spec, home, quiet):
    """Fetch without further faults. After a lying server, one attempt may discover what it received before."""
    try:
        return fetch(spec, home, quiet, prepares=False)
    except DataError:
        return fetch(spec, home, quiet, prepares=False)


def source(publisher: Publisher, seed: int, contents: dict[str, bytes], rng: random.Random):
    """A record with or without pins, or addresses."""
    files = [
        RemoteFile(
            f"{name}.zip", SIZE, md5=hashlib.md5(content).hexdigest(), url=f"{publisher.url}/storage/{seed}-{name}"
        )
        for name, content in contents.items()
    ]
    if rng.random() < 0.5:
        return UrlSource(tuple(files))
    if rng.random() < 0.5:
        files = [RemoteFile(file.name) for file in files]
    return ZenodoSource(str(seed), tuple(files), f"{publisher.url}/api/records")
