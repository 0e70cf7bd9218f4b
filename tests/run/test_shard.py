"""`--shard i/n`: every pair is in one shard, and all shares together are the whole run."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serab_core.errors import UsageError
from serab_core.run.shard import RunShard, parse_run_shard


@given(st.integers(0, 60), st.integers(1, 12))
def test_shares_cover_everything_once(count, of):
    everything = list(range(count))
    taken = [one for number in range(1, of + 1) for one in RunShard(number, of).select(everything)]
    assert sorted(taken) == everything
    sizes = [len(RunShard(number, of).select(everything)) for number in range(1, of + 1)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("words", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", "1/2/3"])
def test_what_is_no_share(words):
    with pytest.raises(UsageError, match="is not a run shard"):
        parse_run_shard(words)


def test_shares_of_a_run(prepared_tones, serab):
    words = ("eval", "toy", "toy/wide", "toy/corpus", "--tasks", "tones", "--classifiers", "knn", "--json")
    seen = []
    for shard in ("1/2", " 2/2"):
        code, out, err = serab(*words, "--shard", shard)
        assert code == 0, err
        document = json.loads(out)
        assert any(notice.startswith(f"Run shard {shard.strip()[0]} of 2") for notice in document["notices"])
        seen += [(result["extractor"], result["reused"]) for result in document["results"]]
    assert sorted(seen) == [("toy", False), ("toy/corpus", False), ("toy/wide", False)]
    together = json.loads(serab(*words)[1])
    assert [(result["extractor"], result["reused"]) for result in together["results"]] == [
        ("toy", True), ("toy/wide", True), ("toy/corpus", True),
    ]  # fmt: skip
    assert parse_run_shard(None).is_whole
