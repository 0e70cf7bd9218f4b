"""Simulate the coverage of intervals and the false positives and power of tests: the tables of docs/statistics.md.

tox run -e coverage                      # writes the tables, in about 15 minutes on two cores
python benchmarks/statistics_tables.py --repeats 50 --print
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from serab_core.score.aggregate import means
from serab_core.score.bootstrap import drawn
from serab_core.score.compare import compare, compare_overall, holm, significance_groups
from serab_core.score.scored import Scored

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
BASE = 0.9  # logit of the mean rate of correct predictions: 71 %
CLASSES = 4
SPEAKERS = {1: 60, 2: 60, 3: 78, 4: 60, 5: 60, 10: 50, 18: 41, 30: 40}  # number of test speakers: utterances of each
SUITE = {
    "aesdd": (2, 103), "cafe": (3, 78), "crema_d": (19, 82), "emodb": (2, 42), "emovo": (2, 98), "iem4": (2, 578),
    "ravdess": (5, 60), "savee": (1, 120), "shemo": (18, 41),
}  # fmt: skip
SUITES = {2: ("emodb", "emovo"), 3: ("emodb", "emovo", "ravdess"), 9: tuple(SUITE)}
TAUS = (0.0, 0.2, 0.4)  # SD, on the logit scale, of the interaction between speaker and extractor
ITEM = 1.0  # SD, on the logit scale, of the difficulty of an utterance, which is the same for both extractors
GAP = 0.25  # difference of two extractors on the logit scale: 4 to 5 percentage points


def speaker_sizes(rng, speakers, each, uneven):
    """Return the number of utterances of each speaker; uneven numbers differ by a factor of up to six."""
    if not uneven or speakers == 1:
        return np.full(speakers, each)
    factors = rng.uniform(0.3, 1.7, speakers)
    return np.maximum(CLASSES, np.rint(each * factors / factors.mean())).astype(int)


def make_scored(rng, sizes, logits):
    """Return random predictions. `logits`, shape (utterances,), is the logit of the rate of correct predictions.

    Args:
        rng: random generator.
        sizes: utterances of each speaker.
        logits: one for each utterance.
    """
    truth = np.concatenate([np.arange(size) % CLASSES for size in sizes])
    right = rng.random(len(truth)) < 1 / (1 + np.exp(-logits))
    predicted = np.where(right, truth, (truth + 1) % CLASSES)
    speakers = np.repeat(np.arange(len(sizes)), sizes)
    ids = tuple(range(len(truth)))
    return Scored(ids, truth, predicted, speakers)


def simulate_test(rng, speakers, each, spread, uneven):
    """Return predictions for a test split whose speakers have logits with standard deviation `spread`."""
    sizes = speaker_sizes(rng, speakers, each, uneven)
    logits = BASE + spread * rng.standard_normal(speakers)
    return make_scored(rng, sizes, np.repeat(logits, sizes))


def simulate_extractors(rng, speakers, each, tau, uneven, gaps):
    """Return the predictions of several extractors on one test split; their mean logits differ by `gaps`."""
    sizes = speaker_sizes(rng, speakers, each, uneven)
    shared = np.repeat(BASE + 0.5 * rng.standard_normal(speakers), sizes)
    shared = shared + ITEM * rng.standard_normal(len(shared))
    return [
        make_scored(rng, sizes, shared + gap + np.repeat(tau * rng.standard_normal(speakers), sizes)) for gap in gaps
    ]


def true_rate(spread):
    """Return the mean rate of correct predictions over all possible speakers."""
    normal = np.random.default_rng(0).standard_normal(400_000)
    return float(np.mean(1 / (1 + np.exp(-(BASE + spread * normal)))))


def coverage(repeats, speakers, spread, uneven, seed=1):
    """Return the coverage in percent and the mean width in percentage points, for accuracy and UAR."""
    rng, truth = np.random.default_rng(seed), true_rate(spread)
    inside, width = np.zeros(2), np.zeros(2)
    for repeat in range(repeats):
        draws = drawn(simulate_test(rng, speakers, SPEAKERS[speakers], spread, uneven), 1000, repeat)
        for column, metric in enumerate(("accuracy", "uar")):
            interval = draws.interval(metric)
            inside[column] += interval.low <= truth <= interval.high
            width[column] += interval.high - interval.low
    return 100 * inside / repeats, 100 * width / repeats


def mean_coverage(repeats, tasks, spread, seed=2):
    """Return the coverage of UM in percent, and its mean width in percentage points."""
    rng, truth = np.random.default_rng(seed), true_rate(spread)
    inside = width = 0.0
    for repeat in range(repeats):
        tests = {task: simulate_test(rng, *SUITE[task], spread, True) for task in SUITES[tasks]}
        draws = {task: drawn(test, 1000, 10 * repeat + place) for place, (task, test) in enumerate(tests.items())}
        values = {task: float(test.right.mean()) for task, test in tests.items()}
        interval = means(values, draws, {task: len(test.ids) for task, test in tests.items()}, "accuracy")[0].interval
        inside += interval.low <= truth <= interval.high
        width += interval.high - interval.low
    return 100 * inside / repeats, 100 * width / repeats


def rejections(repeats, speakers, tau, uneven, gap=0.0, metric="accuracy", seed=3):
    """Return how often the test on one task has p < 0.05, in percent."""
    rng = np.random.default_rng(seed)
    count = 0
    for _ in range(repeats):
        pair = simulate_extractors(rng, speakers, SPEAKERS.get(speakers, 50), tau, uneven, (gap, 0.0))
        count += compare(*pair, metric).p < 0.05
    return 100 * count / repeats


def mean_rejections(repeats, tasks, tau, gap=0.0, metric="accuracy", seed=4):
    """Return how often the test of UM has p < 0.05, in percent."""
    rng = np.random.default_rng(seed)
    count = 0
    for _ in range(repeats):
        pairs = {task: simulate_extractors(rng, *SUITE[task], tau, True, (gap, 0.0)) for task in SUITES[tasks]}
        count += compare_overall({task: tuple(pair) for task, pair in pairs.items()}, metric).p < 0.05
    return 100 * count / repeats


def groups_of(rng, tasks, tau, gaps):
    """Return the number of significance groups in a simulated leaderboard."""
    tests = {task: simulate_extractors(rng, *SUITE[task], tau, True, gaps) for task in SUITES[tasks]}
    scores = [np.mean([tests[task][place].right.mean() for task in tests]) for place in range(len(gaps))]
    order = sorted(range(len(gaps)), key=lambda place: -scores[place])
    pairs = list(combinations(order, 2))
    p_values = [compare_overall({task: (scored[a], scored[b]) for task, scored in tests.items()}).p for a, b in pairs]
    corrected = holm(p_values)
    names = {frozenset((str(a), str(b))): p for (a, b), p in zip(pairs, corrected, strict=True)}
    return max(significance_groups([str(place) for place in order], names).values())


def board_rejections(repeats, tasks, tau, extractors=10, seed=6):
    """Return how often a leaderboard of equal extractors has more than one significance group, in percent."""
    rng = np.random.default_rng(seed)
    return 100 * sum(groups_of(rng, tasks, tau, (0.0,) * extractors) > 1 for _ in range(repeats)) / repeats


def tables(repeats):
    """Return the tables by their names in the page."""
    tables_by_name = {}
    rows = [
        "| test speakers | utterances of each | spread | accuracy, even | accuracy, uneven | UAR, even | UAR, uneven |"
    ]
    rows.append("|---|---|---|---|---|---|---|")
    for speakers, each in SPEAKERS.items():
        for spread in (0.0, 0.3, 0.6):
            cells = [coverage(repeats, speakers, spread, uneven) for uneven in (False, True)]
            texts = [f"{inside[m]:.0f} ({width[m]:.0f})" for m in (0, 1) for inside, width in cells]
            rows.append(f"| {speakers} | {each} | {spread} | {' | '.join(texts)} |")
    tables_by_name["coverage"] = rows
    rows = ["| tasks | spread 0 | 0.3 | 0.6 |", "|---|---|---|---|"]
    for tasks in (3, 9):
        results = [mean_coverage(max(100, repeats // 2), tasks, spread) for spread in (0.0, 0.3, 0.6)]
        rows.append(f"| {tasks} | {' | '.join(f'{inside:.0f} ({width:.0f})' for inside, width in results)} |")
    tables_by_name["means"] = rows
    rows = [
        "| test speakers | test | tau 0 | 0.2 | 0.4 | UAR, 0.4 | found, tau 0 | 0.2 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for speakers in (3, 4, 5, 6, 10, 18):
        test = "permutation" if speakers >= 6 else "t over speakers"
        wrong = [max(rejections(repeats, speakers, tau, uneven) for uneven in (False, True)) for tau in TAUS]
        wrong.append(max(rejections(repeats, speakers, 0.4, uneven, metric="uar") for uneven in (False, True)))
        power = [rejections(repeats // 2, speakers, tau, False, GAP) for tau in TAUS[:2]]
        texts = [*(f"{value:.1f}" for value in wrong), *(f"{value:.0f}" for value in power)]
        rows.append(f"| {speakers} | {test} | {' | '.join(texts)} |")
    tables_by_name["tests"] = rows
    rows = ["| tasks | test | tau 0 | 0.2 | 0.4 | UAR, 0.4 | found, tau 0 | 0.2 |", "|---|---|---|---|---|---|---|---|"]
    for tasks in (2, 3, 9):
        test = "t over tasks" if tasks >= 4 else "t over speakers"
        wrong = [mean_rejections(repeats, tasks, tau) for tau in TAUS]
        wrong.append(mean_rejections(repeats, tasks, 0.4, metric="uar"))
        power = [mean_rejections(repeats // 2, tasks, tau, GAP) for tau in TAUS[:2]]
        texts = [*(f"{value:.1f}" for value in wrong), *(f"{value:.0f}" for value in power)]
        rows.append(f"| {tasks} | {test} | {' | '.join(texts)} |")
    tables_by_name["mean-tests"] = rows
    rows = ["| tasks | tau 0 | 0.2 | 0.4 |", "|---|---|---|---|"]
    for tasks in (3, 9):
        results = [board_rejections(max(20, repeats // 4), tasks, tau) for tau in TAUS]
        rows.append(f"| {tasks} | {' | '.join(f'{value:.1f}' for value in results)} |")
    tables_by_name["boards"] = rows
    graded = groups_of(np.random.default_rng(7), 9, 0.2, tuple(np.linspace(1.0, -3.0, 100)))
    tables_by_name["graded"] = [
        f"100 extractors, graded evenly from about 83 to 18 %, form {graded} groups over the nine tasks."
    ]
    return tables_by_name


def main():
    """Write the tables into the page, or print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    text = "" if options.print else PAGE.read_text()
    for name, rows in tables(options.repeats).items():
        block = "\n".join(rows)
        if options.print:
            print(f"{name}\n{block}\n")
            continue
        start, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n{block}\n{end}{rest.partition(end)[2]}"
    if not options.print:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
