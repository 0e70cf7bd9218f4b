"""Scores of thirty extractors on nine tasks: intervals, comparisons and the page; and one interval against SciPy's.

tox run -e bench -- benchmarks/test_report.py -s
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from serab_core.data.protocols import SUITE
from serab_core.report.board import load_leaderboard
from serab_core.report.html.page import report_page
from serab_core.score.bootstrap import drawn
from serab_core.score.outcome import scores_of
from serab_core.score.scored import scored
from serab_core.store.home import Home
from serab_core.store.results import result_path, write_result
from serab_core.types import ClassifierOutcome, Point, Predictions, TaskResult

TEST = dict(zip(SUITE, (207, 234, 1556, 84, 196, 1157, 300, 120, 738), strict=True))
SPEAKERS = dict(zip(SUITE, (2, 3, 19, 2, 2, 2, 5, 1, 18), strict=True))
EXTRACTORS = 30


def simulated_result(extractor: int, task: str) -> TaskResult:
    """Return a random result with as many test utterances and speakers as the task has."""
    rng = np.random.default_rng([extractor, len(task)])
    truth = [f"class {i % 6}" for i in range(TEST[task])]
    predicted = [t if rng.random() < 0.5 + 0.01 * extractor else f"class {rng.integers(6)}" for t in truth]
    ids = tuple(f"{task}-{i:05d}" for i in range(TEST[task]))
    test = Predictions(ids, tuple(truth), tuple(predicted))
    outcomes = tuple(
        ClassifierOutcome(n, n.upper(), (Point({}, 0.5),), {}, 0.5, test, scores_of(test))
        for n in ("lda", "lr", "qda", "rf", "svc")
    )
    how = {"fingerprint": {"dim": 64 * (1 + extractor)}, "protocol": {"tuner": "grid", "classifiers_by": "protocol"}}
    return TaskResult(
        extractor=f"extractor-{extractor:02d}", task=task, language="en", protocol="serab", variant="default",
        counts={"train": 3 * TEST[task], "validation": TEST[task], "test": TEST[task]}, chosen="lda",
        scores=outcomes[0].scores, outcomes=outcomes, synthetic=False, partial=False, cautions=(),
        key=f"{extractor:02d}{task}".ljust(64, "0"),
        provenance=how, speakers={name: f"s{i % SPEAKERS[task]}" for i, name in enumerate(ids)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home")).ensure()
    for extractor in range(EXTRACTORS):
        for task in SUITE:
            result = simulated_result(extractor, task)
            write_result(result_path(home, result.extractor, task, "serab", result.key), result)
    return home


def test_a_board_and_its_page(benchmark, filled):
    """Measure the leaderboard and the page, which should take less than 20 s together."""
    seconds = {}

    def work():
        begin = time.perf_counter()
        gathered = load_leaderboard(filled, "serab")
        seconds["read, intervals, comparisons"] = time.perf_counter() - begin
        begin = time.perf_counter()
        page = report_page(gathered, "Thirty", {})
        seconds["page"] = time.perf_counter() - begin
        return len(page)

    size = benchmark.pedantic(work, rounds=3, warmup_rounds=1)
    benchmark.extra_info |= {"page_MB": size / 1e6, **seconds}
    print(f"\n{EXTRACTORS} x {len(SUITE)}: {seconds}, page {size / 1e6:.2f} MB")


def test_an_interval_beside_scipys(benchmark):
    test = scored(simulated_result(3, "crema_d"))
    ours = benchmark(drawn, test)
    begin = time.perf_counter()
    theirs = stats.bootstrap((test.right.astype(float),), np.mean, n_resamples=2000, method="percentile", rng=0)
    peer = time.perf_counter() - begin
    mine = benchmark.stats.stats.median
    benchmark.extra_info["ratio"] = peer / mine
    times = f"{1000 * mine:.2f} ms, scipy (one metric, no speakers) {1000 * peer:.0f} ms, {peer / mine:.0f}x"
    print(f"\n2,000 draws of {len(test.ids)} utterances: {times}")
    low, high = theirs.confidence_interval
    assert abs(ours.interval("accuracy").low - low) < 0.05
    assert abs(ours.interval("accuracy").high - high) < 0.05
