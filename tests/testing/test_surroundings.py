"""For each check of an extractor's surroundings a plugin that fails it, and no other."""

from __future__ import annotations

import pytest

from serab_core.testing import extractor_checks

PLUGIN = """
import os, socket
from contextlib import suppress
import numpy as np
{head}
from serab_core import ExtractorSpec, WeightFile, hookimpl

class Odd:
    def embed(self, waveforms):
        rows = np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)
        {body}
        return rows

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("odd", Odd, 2, "odd", "MIT"{more}))
"""
BROKEN = {
    "light-import": {"head": "import jax"},
    "other-process": {"body": "rows[:, 1] += os.getpid() % 1000"},
    "settings-kept": {"body": "np.random.seed(0)"},
    "no-network": {"body": "with suppress(OSError): socket.create_connection(('127.0.0.1', 9))"},
    "missing-weights": {"more": ", weights=(WeightFile('a.pt', 'somewhere', '0' * 64, licence='MIT'),)"},
}


def failing(name: str) -> set[str]:
    failed = set()
    for check in extractor_checks(name):
        try:
            check()
        except AssertionError:
            failed.add(check.id)
    return failed


def plugin(**parts: str) -> str:
    return PLUGIN.format(**{"head": "", "body": "pass", "more": "", **parts})


def test_a_good_one(add_plugin):
    add_plugin("serab-odd", "serab.extractors", "odd", plugin())
    assert failing("odd") == set()


@pytest.mark.parametrize("check", BROKEN)
def test_broken_in_one_way(check, add_plugin, site):
    (site / "jax.py").write_text("")
    add_plugin("serab-odd", "serab.extractors", "odd", plugin(**BROKEN[check]))
    assert failing("odd") == {f"extractor-{check}"}
