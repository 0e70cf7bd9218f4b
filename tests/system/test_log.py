"""The log: nothing by default, steps with -v, jobs and processes with -vv, and nothing left behind."""

from __future__ import annotations

import logging
import subprocess
import sys

WORDS = ("eval", "toy", "--tasks", "tones", "--classifiers", "centroid")


def test_each_level_shows_more(prepared_tones, serab):
    assert "serab.run" not in serab(*WORDS, "--jobs", "1")[2]
    code, _, err = serab("-v", *WORDS, "--jobs", "1")
    assert code == 0
    assert "serab.run: toy on tones: stored in" in err
    assert "took" not in err
    err = serab("-vv", *WORDS, "--fresh", "--jobs", "1")[2]
    assert "serab.run: toy on tones: to be computed" in err
    assert "serab.run: embedding with toy took" in err
    assert "serab.run: tuning of centroid took" in err
    assert "serab.run: stored /" in err
    assert "serab.run" not in serab(*WORDS, "--jobs", "1")[2]


def test_workers_log_too(prepared_tones):
    command = [sys.executable, "-c", "from serab_core.cli import main; main()", "-vv", *WORDS, "--jobs", "2"]
    err = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "serab.engine: worker 0 is process" in err
    assert "serab.run: embedding with toy took" in err


def test_a_python_program_sees_what_it_asks_for(prepared_tones, caplog):
    import serab

    with caplog.at_level(logging.INFO, "serab"):
        serab.evaluate(["toy"], tasks=["tones"], classifiers=["centroid"], progress=False)
    assert any("stored /" in record.getMessage() for record in caplog.records)
