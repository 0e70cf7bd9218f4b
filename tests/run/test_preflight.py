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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no extractor is named"),
        (("toy", "toy"), "toy is named twice"),
        (("toy", "-c", "nonsense"), "nonsense"),
        (("nonsense",), "nonsense"),
        (("toy", "-t", "hums,nonsense"), "nonsense"),
        (("toy", "-t", "hums,hums"), "hums is named twice"),
        (("toy", "-t", "hums,serab-toys:hums", "-c", "knn"), "hums is named twice"),
    ],
)
def test_names_are_checked_before_a_corpus_is_generated(toys, serab, home, words, said):
    code, _, err = serab("eval", *words, "--jobs", "1")
    assert code != 0
    assert said in " ".join(err.split())
    if "serab-toys:hums" not in str(words):  # the same corpus by two names is known once it is prepared
        assert not (home.datasets / "hums").exists()
        assert not (home.datasets / "demo").exists()


def test_an_export_generates_nothing(toys, serab, home):
    code, _, err = serab("export", "toy", "--task", "hums")
    assert code != 0
    assert "hums" in err
    assert not (home.datasets / "hums").exists()
