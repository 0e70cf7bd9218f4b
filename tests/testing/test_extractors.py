"""For each check of an extractor a plugin that fails it, and no other."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest

from serab_core import plugins
from serab_core.store.home import Home
from serab_core.store.weights import import_weights
from serab_core.testing import extractor_checks
from serab_core.testing.children import growth, printed
from serab_core.testing.sensitivity import sensitivity
from serab_core.types import WeightFile

PLUGIN = """
import os, socket, time
from contextlib import suppress
import numpy as np
{head}
from serab_core import ExtractorSpec, WeightFile, hookimpl, weights_path
from serab_core.errors import WeightsError
from serab_core.store.home import find_home

FILE = WeightFile("odd.bin", "https://example.org/odd.bin", licence="MIT")

class Odd:
    calls = 0

    def embed(self, waveforms):
        self.calls += 1
        rows = np.array([[len(w) / 16000, np.abs(w).mean()] for w in waveforms], np.float32)
        {body}
        return rows

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("odd", Odd, 2, "odd", "MIT", citation={citation!r}{more}))
"""
BROKEN = {
    "shape": {"body": "rows = rows.astype(float) if len(rows) > 1 else rows"},
    "finite": {"body": "rows[rows[:, 1] == 0] = np.nan"},
    "repeatable": {"body": "rows += np.float32(1e-6 * (self.calls % 7)) * rows"},
    "batch-independent": {"body": "rows[:, 1] += 0.1 * len(rows)"},
    "input-kept": {"body": "waveforms[0] *= -1"},
    "long": {"body": "hog = np.ones(3 << 27) if rows[0, 0] > 100 else None; del hog"},
    "sensitivity": {"body": "assert not any(0 < w.std() < 0.035 and len(w) > 1000 for w in waveforms), 'faint'"},
    "identity": {"citation": " "},
    "fingerprint": {"more": ", parameters={'made': time.time_ns()}"},
    "stored-embeddings": {"body": "rows[:, 1] += float(os.environ.get('ODD', 0))"},
    "light-import": {"head": "import jax"},
    "other-process": {"body": "rows[:, 1] += os.getpid() % 1000"},
    "settings-kept": {"body": "np.random.seed(0)"},
    "no-network": {"body": "with suppress(OSError): socket.create_connection(('127.0.0.1', 9))"},
    "missing-weights": {
        "more": ", weights=(FILE,)",
        "body": "(find_home().weights / 'odd.bin').exists() and weights_path(FILE)",
    },
    "damaged-weights": {
        "more": ", weights=(FILE,)",
        "body": "if not (find_home().weights / 'odd.bin').exists(): raise WeightsError('is not there')",
    },
}


def failing(name: str, with_processes: Collection[str] | None = None) -> set[str]:
    """Return the checks that fail, of all, or of those that start no process and the ones that are named."""
    failed = set()
    for check in extractor_checks(name):
        if with_processes is not None and check.starts_processes and check.id not in with_processes:
            continue
        try:
            check()
        except AssertionError:
            failed.add(check.id)
    return failed


def plugin(**parts: str) -> str:
    return PLUGIN.format(**{"head": "", "body": "pass", "more": "", "citation": "@misc{odd}", **parts})


@pytest.fixture
def weights(home, tmp_path) -> WeightFile:
    """The weight file that some of the plugins declare, taken in."""
    file = tmp_path / "odd.bin"
    file.write_bytes(bytes(range(100)))
    weight = WeightFile("odd.bin", "https://example.org/odd.bin", licence="MIT")
    import_weights(Home(home.root).ensure(), weight, file, str(file))
    return weight


@pytest.mark.parametrize("parts", [{}, {"more": ", weights=(FILE,)", "body": "weights_path(FILE)"}])
def test_good_ones(add_plugin, weights, parts):
    add_plugin("serab-odd", "serab.extractors", "odd", plugin(**parts))
    assert failing("odd") == set()


def test_a_reused_buffer_is_named(add_plugin):
    parts = {
        "body": "self.buffer[: len(rows)] = rows; return self.buffer[: len(rows)]",
        "head": "BUFFER = np.zeros((999, 2), np.float32)",
    }
    code = plugin(**parts).replace("calls = 0", "calls, buffer = 0, BUFFER")
    add_plugin("serab-odd", "serab.extractors", "odd", code)
    checks = {check.id: check for check in extractor_checks("odd")}
    with pytest.raises(AssertionError, match="returns the same memory twice"):
        checks["extractor-repeatable"]()
    checks["extractor-batch-independent"]()  # its results are compared as copies, so this one says nothing misleading


def test_a_result_that_is_remembered_is_no_reused_buffer(add_plugin):
    body = "return self.memory.setdefault(tuple(map(len, waveforms)) + (float(waveforms[0].sum()),), rows)"
    code = plugin(body=body).replace("calls = 0", "calls, memory = 0, {}")
    add_plugin("serab-odd", "serab.extractors", "odd", code)
    checks = {check.id: check for check in extractor_checks("odd")}
    checks["extractor-repeatable"]()


@pytest.mark.parametrize("check", BROKEN)
def test_broken_in_one_way(check, add_plugin, site, weights, request, monkeypatch):
    (site / "jax.py").write_text("")
    add_plugin("serab-odd", "serab.extractors", "odd", plugin(**BROKEN[check]))
    if check == "stored-embeddings":
        request.getfixturevalue("prepared_tones")
        code, _, err = request.getfixturevalue("serab")("eval", "odd", "-t", "tones", "-c", "knn", "-j", "1")
        assert code == 0, err
        assert failing("odd", ["extractor-stored-embeddings"]) == set()
        monkeypatch.setenv("ODD", "0.5")  # what the numbers depend on, and the spec does not declare
    # Checks that start processes take seconds: only the one in question does here; SERAB_LONG=1 runs all of them.
    assert failing("odd", None if os.environ.get("SERAB_LONG") else [f"extractor-{check}"]) == {f"extractor-{check}"}


def test_each_check_has_a_broken_plugin(toys):
    assert [check.id for check in extractor_checks("toy")] == [f"extractor-{name}" for name in BROKEN]


def test_rounding_is_borne_where_it_is_declared(add_plugin):
    parts = {**BROKEN["repeatable"], "more": ", deterministic=False"}
    add_plugin("serab-odd", "serab.extractors", "odd", plugin(**parts))
    assert failing("odd") == set()


@pytest.mark.parametrize(
    "change",
    [
        {"licence": ""},
        {"summary": ""},
        {"weights": (WeightFile("a", "somewhere", licence="MIT"),)},
        {"weights": (WeightFile("a", "https://example.org/a"),)},
    ],
)
def test_what_must_be_declared(toys, monkeypatch, change):
    spec = replace(plugins.extractor("toy"), **change)
    monkeypatch.setattr(plugins, "extractor", lambda name: spec)
    (check,) = [check for check in extractor_checks("toy") if check.id == "extractor-identity"]
    with pytest.raises(AssertionError, match="fails extractor-identity"):
        check()


def test_sensitivity_is_the_share_of_a_distance():
    def levels(*clips):
        return np.array([[np.abs(clip).mean()] for clip in clips], np.float32)

    loud, faint = np.ones(1000, np.float32), np.full(1000, 0.5, np.float32)
    assert "embedding by 75 % of" in sensitivity(levels, [loud, faint], 16000)
    deaf = sensitivity(lambda *clips: np.zeros((len(clips), 1), np.float32), [loud, faint], 16000)
    assert deaf == "every clip has the same embedding"


def test_what_a_process_takes_is_measured_and_limited():
    hog = "import sys, time\nprint('ready', flush=True)\nx = bytearray({}) ; x[:] = b'1' * len(x)\ntime.sleep(0.2)"
    assert 180 << 20 < growth(hog.format("100 << 20"), limit=1 << 30) < 450 << 20
    assert growth(hog.format("4 << 30"), limit=200 << 20) > 200 << 20
    with pytest.raises(AssertionError, match="in a separate process: ValueError: no"):
        growth("print('ready', flush=True)\nraise ValueError('no')", limit=1 << 30)
    with pytest.raises(AssertionError, match="in a separate process: ValueError: no"):
        printed("raise ValueError('no')")
