"""Offline is enforced: whoever asks the network is stopped and named, wherever it happens."""

from __future__ import annotations

import _socket
import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from serab_core.errors import OfflineError
from serab_core.system import offline

CURIOUS = """
import socket
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Curious:
    def embed(self, waveforms):
        {body}
        return np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("curious", Curious, 2, "asks", "MIT", citation="@misc{{curious}}"))
"""
ASKS = "socket.create_connection(('192.0.2.1', 80), timeout=0.1)"
HIDES = """try:
            socket.create_connection(("192.0.2.1", 80), timeout=0.1)
        except Exception:
            pass"""


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"x", ("192.0.2.1", 53))


@pytest.fixture
def shut():
    offline.disable_network()
    yield
    offline.enable_network()


def connect(one, method):
    """Connects a socket by one of its methods, and closes it in any case."""
    try:
        getattr(one, method)(("192.0.2.1", 80))
    finally:
        one.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.1),
        lambda: socket.getaddrinfo("example.org", 443),
        lambda: socket.gethostbyname("example.org"),
        datagram,
        lambda: socket.create_connection(("localhost", 1), timeout=0.1),
        lambda: socket.getaddrinfo(b"example.org", 443),
        lambda: socket.gethostbyname_ex("example.org"),
        lambda: socket.gethostbyaddr("192.0.2.1"),
        lambda: socket.getnameinfo(("192.0.2.1", 80), 0),
        lambda: socket.getfqdn("192.0.2.1"),
        lambda: _socket.getaddrinfo("example.org", 443),
        lambda: connect(_socket.socket(), "connect"),
        lambda: connect(socket.socket(), "connect_ex"),
        lambda: urllib.request.urlopen("http://192.0.2.1/", timeout=0.1),
    ],
)
def test_every_way_out_is_shut(shut, ask):
    with pytest.raises(OfflineError, match="tried to reach") as caught:
        ask()
    assert "test_offline" in caught.value.where
    with pytest.raises(OfflineError):
        offline.raise_attempts()
    offline.raise_attempts()  # told once


def test_pipes_of_this_machine_stay_open(shut, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)


def test_it_is_open_when_nobody_asks():
    assert not offline.is_requested()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 1), timeout=0.5)


@pytest.mark.parametrize("body", [ASKS, HIDES])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_plugin_that_asks_fails_and_is_named(prepared_tones, add_plugin, body, jobs):
    add_plugin("serab-curious", "serab.extractors", "curious", CURIOUS.format(body=body))
    command = [sys.executable, "-c", "from serab_core.cli import main; main()", "--offline", "eval", "curious", "toy"]
    command += ["--tasks", "tones", "--classifiers", "knn", "--json", "--jobs", jobs]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 9, done.stderr
    document = json.loads(done.stdout)
    (failure,) = document["failures"]
    assert failure["extractor"] == "curious"
    assert failure["error"]["error"] == "OfflineError"
    assert failure["error"]["where"] == "serab_curious_curious"
    assert "192.0.2.1" in failure["error"]["what"]
    assert [result["extractor"] for result in document["results"]] == ["toy"]


def test_serabs_own_downloads_are_shut_too(toys, serab, monkeypatch):
    monkeypatch.setenv("SERAB_OFFLINE", "1")
    try:
        code, _, err = serab("weights", "fetch", "heavy", "--accept-licence")
    finally:
        offline.enable_network()
    assert code == 14
    assert "tried to reach 127.0.0.1" in " ".join(err.split())


@pytest.mark.parametrize("word", ["", "0", "false", "No"])
def test_words_that_mean_no(monkeypatch, word):
    monkeypatch.setenv("SERAB_OFFLINE", word)
    assert not offline.is_requested()
