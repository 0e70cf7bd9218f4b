"""The released BYOL-S on EmoDB, through the command line, has the scores of the reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[4] / "shared"


def test_the_reference_figures(serab):
    weights, corpus = SHARED / "golden" / "byol_s_512.pth", SHARED / "data" / "emodb.zip"
    if not weights.exists() or not corpus.exists():
        pytest.skip("the folder shared with EmoDB and the authors' weights is not beside the project")
    code, out, errors = serab("data", "prepare", "emodb", corpus)
    assert code == 0, errors
    code, out, errors = serab("eval", "byol-s/512", "--tasks", "emodb")
    assert code == 10
    for phrase in ("serab weights fetch byol-s/512", "serab weights import byol-s/512", "default512_BYOLAs64x96"):
        assert phrase in " ".join(errors.split())
    code, out, errors = serab("weights", "import", "byol-s/512", weights)
    assert code == 0, errors
    assert "MIT" in errors
    assert "449f5d0dc6b6fa8433d5e43769097520d3bc0fdae88977a7ac29e2e72ca51b52" in out
    code, out, errors = serab("eval", "byol-s/512", "--tasks", "emodb", "--json")
    assert code == 0, errors
    (result,) = json.loads(out)["results"]
    correct = {c["classifier"]: round(c["accuracy"] * 84) for c in result["classifiers"]}
    for name, expected in {"lda": 68, "lr": 65, "svc": 64}.items():  # 81.0, 77.4 and 76.2 %
        assert abs(correct[name] - expected) <= 1, name
    best = max(c["validation"] for c in result["classifiers"])
    chosen = next(c for c in result["classifiers"] if c["classifier"] == result["chosen"])
    assert chosen["validation"] == best
