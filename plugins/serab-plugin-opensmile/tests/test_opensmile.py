"""The functionals of openSMILE, through the extractor specs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from serab_core import plugins
from serab_core.audio.decode import decode
from serab_core.audio.resample import resample
from serab_core.data.source import open_sources
from serab_core.testing import extractor_checks

SHARED = Path(__file__).parents[4] / "shared"
NAMES = {"opensmile": 6373, "opensmile/egemaps": 88, "opensmile/gemaps": 62}


def checks_to_run():
    """Return all checks of some extractors; of their variants only the checks that start no process."""
    for name in NAMES:
        for check in extractor_checks(name):
            if name in ("opensmile",) or not check.starts_processes or os.environ.get("SERAB_LONG"):
                yield check


@pytest.mark.parametrize("check", list(checks_to_run()), ids=lambda c: f"{c.subject}-{c}")
def test_conforms(check):
    check()


@pytest.mark.parametrize("name", NAMES)
def test_declared(name):
    spec = plugins.extractor(name)
    assert spec.dim == NAMES[name]
    assert spec.sample_rate == 16000
    assert spec.libraries == ("opensmile",)


def test_a_short_clip_is_padded_on_both_sides():
    extractor = plugins.extractor("opensmile/egemaps").factory()
    clip = (0.1 * np.sin(np.arange(800) / 5)).astype(np.float32)
    padded = np.concatenate([np.zeros(400, np.float32), clip, np.zeros(400, np.float32)])
    np.testing.assert_array_equal(extractor.embed([clip]), extractor.embed([padded]))


def test_another_set_size_is_refused():
    from serab_plugin_opensmile.functionals import Functionals

    with pytest.raises(ValueError, match="88 features for eGeMAPSv02, not 90"):
        Functionals("eGeMAPSv02", 90)


def test_importing_the_plugin_is_light():
    code = "import sys, serab_plugin_opensmile; print('opensmile' in sys.modules, 'pandas' in sys.modules)"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.split() == ["False", "False"]


def test_golden_features():
    """The features equal those that another program stored, for every hundredth utterance of EmoDB and some others."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    golden = np.load(SHARED / "golden" / "emodb_features.npz")["compare_2016"]
    extractor = plugins.extractor("opensmile").factory()
    with open_sources([SHARED / "data" / "emodb.zip"]) as sources:
        files = sorted(sources, key=lambda file: file.name)
        for position in [*range(0, 535, 100), 7, 534]:
            decoded = decode(files[position].read(), str(files[position].name))
            features = extractor.embed([resample(decoded.samples, decoded.rate, 16000)])[0]
            scale = np.abs(golden[position]) + 1e-3
            assert np.abs((features - golden[position]) / scale).max() < 1e-4, files[position].name
