"""Statistics over stored predictions: against scikit-learn, scipy and audmetric, by simulation, and by hand."""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.data.protocols import SUITE
from serab_core.score import bootstrap
from serab_core.score.aggregate import means
from serab_core.score.board import make_board
from serab_core.score.bootstrap import Draws, drawn, task_draws, widening
from serab_core.score.compare import (
    compact_letters,
    compare,
    compare_overall,
    holm,
    mcnemar,
    significance_groups,
)
from serab_core.score.fairness import by_sex, by_speaker, sex_gap, speaker_gap
from serab_core.score.few_speakers import mean_posterior
from serab_core.score.metrics import METRICS, ccc, class_scores, confusion, pearson, rmse
from serab_core.score.optimism import optimism
from serab_core.score.published import PUBLISHED, published_for
from serab_core.score.scored import Scored, scored
from serab_core.score.subsets import equal_flips, subset_bias
from tests.results_fixtures import outcome

labels = st.lists(st.sampled_from("abc"), min_size=1, max_size=40)


@pytest.mark.filterwarnings("ignore:A single label was found", "ignore:.*only one label in common")
@settings(max_examples=80, deadline=None)
@given(labels, st.randoms())
def test_class_metrics_are_scikit_learns(truth, random):
    metrics = pytest.importorskip("sklearn.metrics")
    told = [random.choice("abcd") for _ in truth]
    classes = sorted(set(truth))
    kappa = metrics.cohen_kappa_score(truth, told)
    assert class_scores(truth, told) == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, told),
            "uar": metrics.recall_score(truth, told, average="macro", labels=classes, zero_division=0),
            "macro_recall": metrics.recall_score(truth, told, average="macro", zero_division=0),
            "macro_f1": metrics.f1_score(truth, told, average="macro", labels=classes, zero_division=0),
            "weighted_f1": metrics.f1_score(truth, told, average="weighted", zero_division=0),
            "kappa": 0.0 if math.isnan(kappa) else kappa,
        }
    )
    assert np.array_equal(confusion(truth, told, "abcd"), metrics.confusion_matrix(truth, told, labels=list("abcd")))
    with pytest.raises(ValueError, match="unknown label"):
        confusion(truth, ["z"] * len(truth), "abcd")


numbers = st.lists(st.floats(-10, 10), min_size=2, max_size=30)


@settings(max_examples=80, deadline=None)
@given(numbers, st.integers(0, 1000))
def test_metrics_of_continuous_targets(truth, seed):
    told = np.random.default_rng(seed).normal(0, 3, len(truth))
    assert rmse(truth, told) == pytest.approx(math.sqrt(np.mean((np.array(truth) - told) ** 2)))
    if np.std(truth) > 1e-6:
        stats = pytest.importorskip("scipy.stats")
        assert pearson(truth, told) == pytest.approx(stats.pearsonr(truth, told)[0], abs=1e-6)
        covariance = np.cov(truth, told, bias=True)
        by_hand = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (np.mean(truth) - told.mean()) ** 2)
        assert ccc(truth, told) == pytest.approx(by_hand, abs=1e-9)
    assert ccc(truth, truth) == pytest.approx(1.0)


def test_metrics_are_audmetrics():
    audmetric = pytest.importorskip("audmetric")
    rng = np.random.default_rng(0)
    truth, told = rng.normal(size=50), rng.normal(size=50)
    assert ccc(truth, told) == pytest.approx(audmetric.concordance_cc(truth, told))
    assert pearson(truth, told) == pytest.approx(audmetric.pearson_cc(truth, told))
    assert rmse(truth, told) == pytest.approx(math.sqrt(audmetric.mean_squared_error(truth, told)))
    classes, guessed = rng.choice(list("abc"), 60), rng.choice(list("abc"), 60)
    scores = class_scores(classes, guessed)
    assert scores["macro_f1"] == pytest.approx(audmetric.unweighted_average_fscore(classes, guessed))
    assert scores["uar"] == pytest.approx(audmetric.unweighted_average_recall(classes, guessed))
    more = rng.choice(list("abcd"), 60)  # audmetric counts a class that is only predicted as 0
    assert class_scores(classes, more)["macro_recall"] == pytest.approx(
        audmetric.unweighted_average_recall(classes, more)
    )
    f1 = audmetric.fscore_per_class(classes, guessed)
    assert scores["weighted_f1"] == pytest.approx(sum(value * np.mean(classes == c) for c, value in f1.items()))


def test_constants_agree_or_have_no_correlation():
    assert ccc([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert ccc([1.0, 1.0], [2.0, 2.0]) == 0.0
    assert pearson([1.0, 1.0], [1.0, 2.0]) == 0.0


def sample(rng, speakers: int, each: int, spread: float) -> Scored:
    """Speakers differ in how well they are understood."""
    share = 1 / (1 + np.exp(-(0.9 + spread * rng.standard_normal(speakers))))
    truth = np.tile(np.arange(each) % 4, speakers)
    right = rng.random(speakers * each) < np.repeat(share, each)
    told = np.where(right, truth, (truth + 1) % 4)
    ids = tuple(map(str, range(len(truth))))
    return Scored(ids, truth.astype(str), told.astype(str), np.repeat(np.arange(speakers), each).astype(str))


@pytest.fixture(scope="module")
def simulations():
    """The simulations behind the tables of the documentation."""
    path = Path(__file__).parents[2] / "benchmarks" / "statistics_tables.py"
    spec = importlib.util.spec_from_file_location("statistics_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize(
    ("speakers", "spread"), [(1, 0.6), (2, 0.0), (2, 0.6), (3, 0.6), (5, 0.6), (10, 0.0), (18, 0.3)]
)
def test_intervals_cover_the_truth_for_new_speakers(simulations, speakers, spread, uneven):
    """In 93 % of test splits at least, within the luck of 300; the tables say how much more."""
    covered, width = simulations.coverage(300, speakers, spread, uneven)
    luck = 2.5 * (0.95 * 0.05 / 300) ** 0.5 * 100
    assert (covered >= 93 - luck).all()
    if speakers >= bootstrap.MIN_SPEAKERS:
        assert (covered <= 95 + 1.3 * luck).all()
    assert (width < 60).all()


@pytest.mark.parametrize(("speakers", "spread"), [(1, 0.6), (2, 0.0), (2, 0.6), (4, 0.6), (5, 0.0), (10, 0.3)])
def test_intervals_of_concordance_cover_the_truth_for_new_speakers(simulations, speakers, spread):
    luck = 2.5 * (0.95 * 0.05 / 300) ** 0.5 * 100
    covered, width = simulations.concordance_coverage(300, speakers, spread, True)
    assert covered >= 93 - luck
    assert width < 1


@pytest.mark.parametrize(("speakers", "spread"), [(1, 0.6), (2, 0.6), (4, 0.6), (5, 0.3), (10, 0.3)])
def test_intervals_of_other_metrics_cover_the_truth_for_new_speakers(simulations, speakers, spread):
    luck = 2.5 * (0.95 * 0.05 / 300) ** 0.5 * 100
    assert min(simulations.metric_coverage(300, speakers, spread)) >= 93 - luck


@pytest.mark.parametrize("metric", ["macro_f1", "kappa"])
def test_tests_of_other_metrics_keep_their_level(simulations, metric):
    luck = 2.5 * (0.05 * 0.95 / 200) ** 0.5 * 100
    for speakers in (5, 6, 10):
        assert simulations.rejections(200, speakers, 0.4, True, metric=metric) <= 6 + luck
        assert simulations.concordance_rejections(200, speakers, 0.4, True) <= 6 + luck


def test_a_smaller_prior_covers_less(simulations):
    default, _ = simulations.coverage(150, 3, 0.6, False)
    try:
        simulations.set_prior_mean(0.01)
        assert simulations.coverage(150, 3, 0.6, False)[0].max() < default.min() - 5
    finally:
        simulations.set_prior_mean(0.07)


def test_tables_are_written_between_their_marks(simulations, monkeypatch, tmp_path):
    page = tmp_path / "statistics.md"
    page.write_text(simulations.PAGE.read_text())
    monkeypatch.setattr(simulations, "PAGE", page)
    monkeypatch.setattr(simulations, "TABLES", {name: lambda _: ["| a |", "| 1 |"] for name in simulations.TABLES})
    monkeypatch.setattr(sys, "argv", ["statistics_tables.py"])
    simulations.main()
    once = page.read_text()
    assert once.count("| a |\n| 1 |\n") == len(simulations.TABLES) == once.count("<!-- end of ")
    assert all(line in once for line in ("## Ranks, groups and letters\n", "## Not covered\n"))
    simulations.main()
    assert page.read_text() == once


def test_no_table_of_the_page_is_empty(simulations):
    page = simulations.PAGE.read_text()
    for name in simulations.TABLES:
        block = page.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
        assert block.strip(), name


@pytest.mark.parametrize("tau", [0.0, 0.4])
def test_tests_find_differences_that_are_none_in_one_of_twenty(simulations, tau):
    luck = 2.5 * (0.05 * 0.95 / 200) ** 0.5 * 100
    for speakers in (3, 5, 6, 18):
        assert simulations.rejections(200, speakers, tau, True) <= 6 + luck
    for tasks in (2, 3, 9):
        assert simulations.mean_rejections(100, tasks, tau) <= 6 + 1.5 * luck
    assert simulations.rejections(200, 10, tau, True, metric="uar") <= 6 + luck


def test_tests_find_differences_that_are_there(simulations):
    assert simulations.rejections(100, 18, 0.0, False, 0.5) > 80
    assert simulations.mean_rejections(60, 9, 0.2, 0.4) > 80


@pytest.mark.parametrize("tau", [0.0, 0.2])
def test_the_stated_difference_is_found_as_often_as_stated(simulations, tau):
    for pair in [simulations.task_pair(speakers, tau) for speakers in (3, 6, 18)] + [simulations.mean_pair(3, tau)]:
        stated, found = simulations.stated_power(100, pair, tau)
        assert 5 < stated < 50
        assert 60 <= found <= 97


def test_the_detectable_difference_by_hand():
    """At that difference the power of the t test is 80 %, by scipy's noncentral t; there is none without a test."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    first, second = sample(rng, 4, 40, 1.5), sample(rng, 4, 40, 1.5)
    found = compare(first, second)
    gains = [np.mean((first.right.astype(int) - second.right)[first.speakers == str(own)]) for own in range(4)]
    error = stats.sem(gains) * (3 / stats.chi2.median(3)) ** 0.5
    assert stats.nct.sf(stats.t.ppf(0.975, 3), 3, found.detectable / error) == pytest.approx(0.8, abs=1e-4)
    assert compare_overall({"a": (first, second)}).detectable == found.detectable
    two = sample(rng, 2, 40, 0.5), sample(rng, 2, 40, 0.5)
    assert compare(*two).detectable is None
    assert compare_overall({"a": two}).detectable is None
    assert compare(first, first).detectable is None  # equal predictions say nothing about differences
    six = sample(rng, 6, 40, 0.5), sample(rng, 6, 40, 0.5)
    assert compare_overall({"a": six}).detectable == compare(*six).detectable > 0


def test_many_extractors_still_form_groups(simulations):
    """With 10,000 drawn permutations and Holm's factor, 33 extractors and more fell into one group."""
    gaps = tuple(np.linspace(1.0, -3.0, 100))
    assert simulations.groups_of(np.random.default_rng(0), 9, 0.2, gaps) > 1
    assert simulations.board_rejections(20, 9, 0.2) <= 10  # of ten equal extractors; 7 % are asked for


def test_the_posterior_is_that_of_a_beta_binomial():
    """Against numerical integration on a plain grid, at a correlation that the prior does not decide."""
    stats = pytest.importorskip("scipy.stats")
    hits, sizes = np.array([30.0, 11.0, 25.0]), np.array([40.0, 30.0, 35.0])
    edges, cumulated = mean_posterior(hits, sizes)
    means = (np.arange(400) + 0.5) / 400
    weights = np.zeros(400)
    correlations = (np.arange(1500) + 0.5) / 1500 * 0.7
    for rho in correlations:
        a, b = means * (1 / rho - 1), (1 - means) * (1 / rho - 1)
        weights += np.exp(-rho / 0.07) * np.prod(
            [stats.betabinom.pmf(int(hit), int(size), a, b) for hit, size in zip(hits, sizes, strict=True)], axis=0
        )
    plain = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
    for share in (0.025, 0.5, 0.975):
        expected = np.interp(share, plain, np.linspace(0, 1, 401))
        assert np.interp(share, cumulated, edges) == pytest.approx(expected, abs=0.005)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10_000))
def test_an_interval_of_few_speakers_contains_the_score(speakers, seed):
    rng = np.random.default_rng(seed)
    test = sample(rng, speakers, int(rng.integers(4, 40)), float(rng.uniform(0, 3)))
    draws = drawn(test, 400)
    assert (draws.over, draws.groups, draws.method) == ("speakers", speakers, "beta-binomial")
    scores = class_scores(test.truth, test.predicted)
    for metric, score in scores.items():
        found = draws.interval(metric)
        assert METRICS[metric].bounds[0] <= found.low <= found.high <= 1
        assert found.low - 1e-9 <= score <= found.high + 1e-9
        assert draws.score(metric) == pytest.approx(score)
    assert drawn(test, 400, over="utterances").interval("accuracy").over == "utterances"


def test_tasks_are_drawn_independently(make_result):
    one, other = (task_draws(make_result("x", task, 0.7, speakers=6)) for task in ("emodb", "savee"))
    assert abs(np.corrcoef(one.values("accuracy"), other.values("accuracy"))[0, 1]) < 0.1
    again = task_draws(make_result("y", "emodb", 0.7, speakers=6, seed=0))
    assert np.corrcoef(one.values("accuracy"), again.values("accuracy"))[0, 1] > 0.9


def test_draws_are_those_of_resampled_utterances_or_speakers():
    """The counting is only quicker: plain resampling gives the same spread."""
    rng = np.random.default_rng(3)
    for speakers in (3, 9):
        test = sample(rng, speakers, 30, 0.8)
        plain = []
        for _ in range(3000):
            if speakers == 3:
                rows = rng.integers(0, 90, 90)
            else:
                rows = np.concatenate([np.flatnonzero(test.speakers == str(s)) for s in rng.integers(0, 9, 9)])
            plain.append(test.right[rows].mean())
        factor = widening(90 if speakers == 3 else 9)
        draws = drawn(test, 3000, over="utterances" if speakers == 3 else "speakers")
        assert draws.values("accuracy").std() == pytest.approx(factor * np.std(plain), rel=0.08)
        assert draws.values("accuracy").mean() == pytest.approx(test.right.mean(), abs=0.01)
    assert np.array_equal(drawn(test).values("uar"), drawn(test).values("uar"))


def test_mcnemar_and_holm_by_hand():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_falls_and_never_helps(p):
    corrected = holm(p)
    assert all(c >= own for c, own in zip(corrected, p, strict=True))
    assert all(c <= 1 for c in corrected)
    order = np.argsort(p, kind="stable")
    assert list(np.array(corrected)[order]) == sorted(corrected)


def test_permutations_of_speakers_are_counted():
    """Seven speakers, each for the first by one utterance: 2 of 128 permutations are as extreme."""
    truth = np.array(["a", "b"] * 7)
    speakers = np.repeat(np.arange(7), 2).astype(str)
    first = Scored(tuple(map(str, range(14))), truth, truth, speakers)
    second = Scored(first.ids, truth, np.array(["a", "a"] * 7), speakers)
    found = compare(first, second)
    assert found.difference == pytest.approx(0.5)
    assert (found.only_first, found.only_second, found.speakers) == (7, 0, 7)
    assert (found.test, found.smallest_p) == ("permutation", 2 / 128)
    assert found.p == pytest.approx(2 / 128)
    assert compare(second, first).p == found.p
    assert compare(first, first).p == 1.0
    with pytest.raises(ValueError, match="same utterances"):
        compare(first, Scored(("x", *first.ids[1:]), truth, truth, speakers))
    with pytest.raises(ValueError, match="no common task"):
        compare_overall({})


@settings(max_examples=40, deadline=None)
@given(st.integers(6, 9), st.integers(0, 10_000), st.sampled_from(["accuracy", "uar"]))
def test_every_permutation_is_counted(speakers, seed, metric):
    """As listing all 2^speakers of them does."""
    rng = np.random.default_rng(seed)
    each = int(rng.integers(2, 12))
    first, second = sample(rng, speakers, each, 1.0), sample(rng, speakers, each, 1.0)
    weight = np.ones(len(first.ids)) / len(first.ids)
    if metric == "uar":
        counts = {label: np.sum(first.truth == label) for label in np.unique(first.truth)}
        weight = np.array([1 / (len(counts) * counts[label]) for label in first.truth])
    gain = weight * (first.right.astype(float) - second.right.astype(float))
    gains = np.array([gain[first.speakers == str(own)].sum() for own in range(speakers)])
    sums = [abs(np.dot(signs, gains)) for signs in product((-1, 1), repeat=speakers)]
    expected = np.mean(np.array(sums) >= abs(gains.sum()) - 1e-9)
    found = compare(first, second, metric)
    assert found.difference == pytest.approx(gains.sum())
    assert found.p == pytest.approx(expected, abs=0.02 if metric == "uar" else 1e-9)
    assert 0 < found.smallest_p <= found.p <= 1


def test_few_speakers_are_tested_by_t_or_not_at_all():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    for speakers in (1, 2):
        found = compare(sample(rng, speakers, 40, 0.5), sample(rng, speakers, 40, 0.5))
        assert (found.p, found.test, found.smallest_p) == (None, "", None)
    first, second = sample(rng, 4, 40, 1.5), sample(rng, 4, 40, 1.5)
    found = compare(first, second)
    gains = [np.mean((first.right.astype(int) - second.right)[first.speakers == str(own)]) for own in range(4)]
    assert found.test == "t over speakers"
    assert found.p == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
    assert compare(first, first).p == 1.0


def test_means_are_tested_over_tasks_or_speakers():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(2)
    pairs = {str(task): (sample(rng, 2, 40, 0.5), sample(rng, 2, 40, 0.5)) for task in range(5)}
    found = compare_overall(pairs)
    differences = [first.right.mean() - second.right.mean() for first, second in pairs.values()]
    assert found.test == "t over tasks"
    assert found.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    low, high = stats.t.interval(0.95, 4, np.mean(differences), stats.sem(differences))
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert found.interval.method == "t"
    two = compare_overall({task: pairs[task] for task in "01"})
    assert two.test == "t over speakers"
    assert 0 < two.p <= 1
    alone = {"a": (sample(rng, 1, 40, 0.5), sample(rng, 1, 40, 0.5)), "b": pairs["0"]}
    assert (compare_overall(alone).p, compare_overall(alone).interval) == (None, None)
    six = {"a": (sample(rng, 6, 40, 0.5), sample(rng, 6, 40, 0.5))}
    assert compare_overall(six).p == compare(*six["a"]).p
    same = {task: (first, first) for task, (first, _) in pairs.items()}
    assert compare_overall(same).p == 1.0


def test_equal_differences_on_all_tasks_are_not_certain():
    """A variance of 0 over tasks would make p 0, which no data can."""
    rng = np.random.default_rng(3)
    first = sample(rng, 2, 20, 0.0)
    predicted = first.predicted.copy()
    predicted[np.flatnonzero(first.right)[0]] = "z"
    second = Scored(first.ids, first.truth, predicted, first.speakers)
    found = compare_overall({str(task): (first, second) for task in range(5)})
    assert 0.01 < found.p < 1


def test_means_by_hand(make_result):
    results = {"emodb": make_result("x", "emodb", 0.9), "savee": make_result("x", "savee", 0.4, each=24)}
    draws = {task: drawn(scored(result)) for task, result in results.items()}
    sizes = {task: result.counts["test"] for task, result in results.items()}
    um, wm, gm = means({t: r.scores["accuracy"] for t, r in results.items()}, draws, sizes, "accuracy")
    a, b = results["emodb"].scores["accuracy"], results["savee"].scores["accuracy"]
    assert (um.value, wm.value, gm.value) == pytest.approx(((a + b) / 2, a / 3 + 2 * b / 3, math.sqrt(a * b)))
    assert wm.weights == pytest.approx({"emodb": 1 / 3, "savee": 2 / 3})
    for mean in (um, wm, gm):
        assert mean.interval.low < mean.value < mean.interval.high
    spreads = [np.ptp([d.interval("accuracy").low, d.interval("accuracy").high]) for d in draws.values()]
    assert um.interval.high - um.interval.low < max(spreads)


shares = st.floats(0.01, 1.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(shares, min_size=1, max_size=9))
def test_means_lie_between_the_extremes(scores):
    tasks = [f"t{i}" for i in range(len(scores))]
    test = sample(np.random.default_rng(0), 5, 4, 0.0)
    draws = {
        t: Draws(test, 2, 0, "speakers", 5, "bootstrap", {"uar": np.array([s, s])})
        for t, s in zip(tasks, scores, strict=True)
    }
    um, wm, gm = means(dict(zip(tasks, scores, strict=True)), draws, {t: i + 1 for i, t in enumerate(tasks)}, "uar")
    for mean in (um, wm, gm):
        assert min(scores) - 1e-9 <= mean.value <= max(scores) + 1e-9
        assert mean.interval.low == pytest.approx(mean.value)
        assert sum(mean.weights.values()) == pytest.approx(1.0)
    assert gm.value <= um.value + 1e-9


def test_subset_bias_by_hand():
    scores = {"x": {"a": 0.9, "b": 0.1, "c": 0.6}, "y": {"a": 0.5, "b": 0.4, "c": 0.5}}
    one, two, three = subset_bias(scores, ["a", "b", "c"])
    assert (one.tasks, one.subsets, two.subsets, three.subsets) == (1, 3, 3, 1)
    assert one.flips == {("x", "y"): pytest.approx(1 / 3)}  # on b alone y is better
    assert two.flips == {("x", "y"): pytest.approx(1 / 3)}  # (b, c): .35 to .45; (a, b): .5 to .45
    assert three.flips == {("x", "y"): 0.0}
    assert (one.lowest["x"], one.highest["x"], three.deviation["x"]) == (0.1, 0.9, 0.0)
    assert one.mean_flips == pytest.approx(1 / 3)
    level = subset_bias({"x": {"a": 0.5, "b": 0.6}, "y": {"a": 0.5, "b": 0.5}}, ["a", "b"])
    assert level[0].flips == {("x", "y"): 0.25}
    assert subset_bias({"x": {"a": 0.5}}, ["a"])[0].mean_flips == 0.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(shares, min_size=4, max_size=4), min_size=2, max_size=5))
def test_the_whole_set_never_flips(table):
    tasks = list("abcd")
    scores = {f"x{i}": dict(zip(tasks, row, strict=True)) for i, row in enumerate(table)}
    sizes = subset_bias(scores, tasks)
    assert sizes[-1].mean_flips == 0.0
    assert all(deviation < 1e-9 for deviation in sizes[-1].deviation.values())


def test_optimism_is_what_test_would_have_chosen(make_result):
    from dataclasses import replace

    made = make_result("x", "emodb", 0.8)
    ids, truth = made.outcomes[0].test.ids, made.outcomes[0].test.truth
    better = outcome("svc", truth, truth, ids, validation=0.4)
    unfitted = replace(better, classifier="qda", params=None, validation=None, test=None, scores={})
    found = optimism(replace(made, outcomes=(unfitted, *made.outcomes, better)))
    assert (found.chosen, found.best, found.claimed) == ("LDA", "SVC", 1.0)
    assert found.gain == pytest.approx(1.0 - made.scores["accuracy"])
    assert optimism(made).gain == 0.0


def test_fairness(make_result):
    test = scored(make_result("x", "emodb", 0.7, speakers=4))
    groups = by_speaker(test)
    assert [group.scores["accuracy"] for group in groups] == sorted(group.scores["accuracy"] for group in groups)
    assert sum(group.utterances for group in groups) == 48
    sexes = {"s0": "f", "s1": "m", "s2": "f", "s3": "m"}
    women, men = by_sex(test, sexes)
    assert (women.name, women.speakers, men.utterances) == ("f", 2, 24)
    assert women.scores["accuracy"] == pytest.approx(np.mean(test.right[np.isin(test.speakers, ["s0", "s2"])]))
    assert by_sex(test, {"s0": "f"}) == ()
    assert by_sex(test, {}) == ()


def test_a_gap_between_speakers_is_held_against_chance():
    rng = np.random.default_rng(0)
    low = [speaker_gap(sample(rng, 5, 60, 0.0), 400).p < 0.05 for _ in range(300)]
    assert np.mean(low) < 0.09  # equal speakers
    found = speaker_gap(sample(np.random.default_rng(1), 5, 60, 0.0))
    assert found.expected == pytest.approx(0.137, abs=0.01)  # 13.7 points of five equal ones with 60 utterances
    assert found.gap == pytest.approx(abs(found.gap))
    unequal = speaker_gap(sample(np.random.default_rng(2), 5, 60, 2.5))
    assert unequal.p < 0.01
    assert unequal.gap > unequal.expected
    assert speaker_gap(sample(rng, 1, 30, 0.0)) is None


def test_a_gap_between_sexes_is_a_test_over_speakers():
    stats = pytest.importorskip("scipy.stats")
    test = sample(np.random.default_rng(3), 7, 40, 1.0)
    sexes = {str(speaker): "f" if speaker < 3 else "m" for speaker in range(7)}
    rates = [test.right[test.speakers == str(speaker)].mean() for speaker in range(7)]
    found = sex_gap(test, sexes)
    expected = stats.ttest_ind(rates[:3], rates[3:], equal_var=False)
    assert (found.women, found.men) == (3, 4)
    assert found.difference == pytest.approx(np.mean(rates[:3]) - np.mean(rates[3:]))
    assert found.p == pytest.approx(expected.pvalue)
    limits = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))
    alone = sex_gap(test, {str(speaker): "f" if speaker < 1 else "m" for speaker in range(7)})
    assert (alone.p, alone.low, alone.women) == (None, None, 1)
    assert sex_gap(test, dict.fromkeys(sexes, "m")) is None
    assert sex_gap(test, {}) is None


@pytest.mark.parametrize("count", [1, 3, 8])
def test_equal_extractors_change_places_as_often_as_said(count):
    differences = np.random.default_rng(4).standard_normal((40_000, 9))
    flipped = np.sign(differences[:, :count].mean(axis=1)) != np.sign(differences.mean(axis=1))
    assert equal_flips(count, 9) == pytest.approx(flipped.mean(), abs=0.01)
    assert equal_flips(9, 9) == 0.0


def pairs_of(names, *significant):
    table = {frozenset(pair): 1.0 for pair in product(names, repeat=2) if pair[0] != pair[1]}
    return table | {frozenset(pair): 0.01 for pair in significant}


def test_significance_groups():
    assert significance_groups("abcd", pairs_of("abcd")) == dict.fromkeys("abcd", 1)
    assert significance_groups("abcd", pairs_of("abcd", "ac", "ad", "bd")) == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert significance_groups("", {}) == {}
    assert compact_letters("abcd", pairs_of("abcd", "ac", "ad", "bd")) == {"a": "a", "b": "ab", "c": "bc", "d": "c"}
    assert compact_letters("", {}) == {}


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 7), st.randoms())
def test_two_share_a_letter_if_their_difference_is_not_significant(count, random):
    names = "abcdefg"[:count]
    table = pairs_of(names)
    table = {pair: random.choice((0.01, 0.9)) for pair in table}
    letters = compact_letters(names, table)
    assert all(letters.values())
    for pair, p in table.items():
        first, second = pair
        assert bool(set(letters[first]) & set(letters[second])) == (p >= 0.05)


def test_the_board(make_result):
    results = [
        make_result("good", "emodb", 0.9), make_result("good", "savee", 0.9),
        make_result("near", "emodb", 0.88, seed=1), make_result("near", "savee", 0.9, seed=1),
        make_result("bad", "emodb", 0.4, seed=2), make_result("bad", "savee", 0.4, seed=2),
        make_result("byol-s/2048", "emodb", 0.99, seed=3), make_result("good", "demo", 1.0, synthetic=True),
        make_result("near", "cafe", 1.0, partial=True),
    ]  # fmt: skip
    board = make_board(results, SUITE, "serab")
    assert board.tasks == ("cafe", "emodb", "savee", "demo")
    assert board.ranked == ("emodb", "savee")
    rows = {row.extractor: row for row in board.rows}
    assert {name: row.group for name, row in rows.items()} == {"good": 1, "near": 1, "bad": 2, "byol-s/2048": None}
    assert [row.extractor for row in board.rows][-2:] == ["bad", "byol-s/2048"]
    assert rows["near"].tasks == ("emodb", "savee")
    assert rows["byol-s/2048"].published.um == 0.751
    (versus,) = [one for one in board.versus if {one.first, one.second} == {"good", "bad"}]
    assert versus.corrected < 0.01 <= versus.overall.difference
    assert versus.overall.interval.low < versus.overall.difference < versus.overall.interval.high
    only = make_board([make_result("good", "demo", 0.5, synthetic=True)], SUITE, "serab")
    assert (only.ranked, only.rows[0].means("accuracy"), only.rows[0].group) == (("demo",), (), 1)
    assert make_board([], SUITE, "serab").rows == ()


def test_published_rows_name_our_extractors():
    assert {row.extractor for row in PUBLISHED} == {"yamnet/paper", "opensmile", "trill", "byol-a/2048", "byol-s/2048"}
    assert published_for("mine") is None


def test_thirty_extractors_on_nine_tasks_take_seconds(make_result):
    """A bound that only a mistake of another order would break: 20 s are asked for."""
    sizes = dict(zip(SUITE, (207, 234, 1556, 84, 196, 1157, 300, 120, 738), strict=True))
    speakers = dict(zip(SUITE, (2, 3, 19, 2, 2, 2, 5, 1, 18), strict=True))
    results = [
        make_result(f"x{i}", task, 0.5 + 0.01 * i, speakers=speakers[task], each=sizes[task] // speakers[task], seed=i)
        for i in range(30)
        for task in SUITE
    ]
    begin = time.perf_counter()
    board = make_board(results, SUITE, "serab")
    print(f"{time.perf_counter() - begin:.1f} s")
    assert len(board.versus) == 435
    assert time.perf_counter() - begin < 120
