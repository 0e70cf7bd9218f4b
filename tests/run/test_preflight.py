"""What an extractor checks before a run."""

from __future__ import annotations

import pytest

PREFLIGHT = """
from serab_core import ExtractorSpec, hookimpl
from serab_core.errors import WeightsError

class Never:
    def __init__(self):
        raise RuntimeError("was built although its preflight failed")

def preflight():
    raise WeightsError("is cut off", where="net.pt", next_step="download it again")

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("early", Never, 2, "fails early", "MIT", citation="@misc{x}", preflight=preflight))
"""


@pytest.mark.parametrize("options", [[], ["--isolate"]])
def test_a_preflight_stops_the_run_before_any_work(prepared_tones, add_plugin, serab, options):
    add_plugin("serab-early", "serab.extractors", "early", PREFLIGHT)
    code, _, err = serab("eval", "toy", "early", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1", *options)
    assert code == 10
    assert "net.pt: is cut off" in err
    assert "was built" not in err
