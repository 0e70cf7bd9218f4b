"""The main job: openSMILE on demo and on EmoDB, through the command line, in worker processes."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.standard


def result_of(serab, *words):
    code, out, err = serab(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_default_is_demo(serab):
    code, out, _ = serab("eval", "opensmile/egemaps", "-c", "lda,lr,qda", "--jobs", "2")
    assert code == 0
    flat = " ".join(out.split())
    assert "demo*" in flat
    assert "* synthetic corpus: says nothing about real speech" in flat
    assert "serab data prepare NAME PATH" in flat
    assert "UM " not in flat


def test_emodb_gives_the_reference_figures(serab, shared):
    """Reference section 8: ComParE_2016, test accuracy 83.3, 78.6, 81.0 and 67.9 for LDA, LR, SVC and RF."""
    assert serab("data", "prepare", "emodb", str(shared / "data" / "emodb.zip"))[0] == 0
    document = result_of(serab, "eval", "opensmile")
    (result,) = document["results"]
    assert (result["task"], result["counts"]) == ("emodb", {"train": 344, "validation": 107, "test": 84})
    correct = {c["classifier"]: round(c["accuracy"] * 84) for c in result["classifiers"]}
    expected = {"lda": (70, 1), "lr": (66, 1), "svc": (68, 1), "rf": (57, 3)}
    for name, (count, tolerance) in expected.items():
        assert abs(correct[name] - count) <= tolerance, name
    assert result["chosen"] == "svc"
    assert document["aggregates"][0]["tasks"] == ["emodb"]
    released = result_of(serab, "eval", "opensmile", "--protocol", "serab-released")["results"][0]
    assert (released["chosen"], round(released["accuracy"] * 84)) == ("lda", 70)
    optimistic, build, rate, sentences = released["cautions"]
    assert optimistic == "optimistic: the classifier was chosen on the test set"
    assert build.startswith("this copy differs from the published corpus: 0.297 h, published 0.413 h (-28.1 %)")
    assert rate == "a resampled copy: 535 at 22050 Hz; published: 16000 Hz"
    assert sentences.startswith("the sentences of the test split")
    assert released["faulty"]
