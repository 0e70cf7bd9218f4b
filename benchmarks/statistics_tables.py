"""Simulate the coverage of intervals and the false positives and power of tests: the tables of docs/statistics.md.

tox run -e coverage                      # writes the tables, in about 25 minutes on two cores
python benchmarks/statistics_tables.py --repeats 50 --print
python benchmarks/statistics_tables.py --only coverage --prior-mean 0.05 --print  # the model with another prior
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from serab_core.score import few_speakers
from serab_core.score.aggregate import means
from serab_core.score.bootstrap import drawn
from serab_core.score.compare import compare, compare_overall, holm, significance_groups
from serab_core.score.metrics import METRICS, ccc, class_scores
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
SPREADS = (0.0, 0.3, 0.6)  # SD of the speakers' rates on the logit scale
TESTED = (3, 4, 5, 6, 10, 18)  # numbers of speakers with a test
OTHER_METRICS = ("macro_f1", "weighted_f1", "kappa")  # no means over utterances
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


def metric_coverage(repeats, speakers, spread, seed=10):
    """Return the coverage in percent of the metrics that are no mean over utterances, for uneven speakers."""
    everybody = simulate_test(np.random.default_rng(0), 20_000, 40, spread, False)
    truth, rng = class_scores(everybody.truth, everybody.predicted), np.random.default_rng(seed)
    inside = dict.fromkeys(OTHER_METRICS, 0)
    for repeat in range(repeats):
        draws = drawn(simulate_test(rng, speakers, SPEAKERS[speakers], spread, True), 1000, repeat)
        for metric in OTHER_METRICS:
            limits = draws.interval(metric)
            inside[metric] += limits.low <= truth[metric] <= limits.high
    return [100 * count / repeats for count in inside.values()]


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


def simulate_values(rng, speakers, each, spread, uneven):
    """Return predictions of a continuous target; speakers differ in the offset and the gain of the predictions."""
    who = np.repeat(np.arange(speakers), speaker_sizes(rng, speakers, each, uneven))
    truth = rng.standard_normal(len(who)) + 0.3 * rng.standard_normal(speakers)[who]
    gain = 0.7 * np.exp(0.5 * spread * rng.standard_normal(speakers))[who]
    predicted = gain * truth + spread * rng.standard_normal(speakers)[who] + 0.5 * rng.standard_normal(len(who))
    return Scored(tuple(range(len(who))), truth, predicted, who)


def concordance_coverage(repeats, speakers, spread, uneven, seed=8):
    """Return the coverage of the CCC in percent, and its mean width."""
    everybody = simulate_values(np.random.default_rng(0), 20_000, 40, spread, False)
    truth, rng = ccc(everybody.truth, everybody.predicted), np.random.default_rng(seed)
    inside = width = 0.0
    for repeat in range(repeats):
        limits = drawn(simulate_values(rng, speakers, SPEAKERS[speakers], spread, uneven), 1000, repeat).interval("ccc")
        inside += limits.low <= truth <= limits.high
        width += limits.high - limits.low
    return 100 * inside / repeats, width / repeats


def simulate_regressions(rng, speakers, each, tau, uneven):
    """Return the predictions of two equal extractors for a continuous target.

    They share errors of each utterance and offsets of speakers, and differ in offsets with a standard deviation of
    `tau`.
    """
    who = np.repeat(np.arange(speakers), speaker_sizes(rng, speakers, each, uneven))
    truth = rng.standard_normal(len(who))
    shared = 0.7 * truth + 0.3 * rng.standard_normal(len(who)) + 0.3 * rng.standard_normal(speakers)[who]
    noises = [0.4 * rng.standard_normal(len(who)) + tau * rng.standard_normal(speakers)[who] for _ in range(2)]
    return [Scored(tuple(range(len(who))), truth, shared + noise, who) for noise in noises]


def concordance_rejections(repeats, speakers, tau, uneven, seed=11):
    """Return how often the test of CCC on one task has p < 0.05, in percent."""
    rng = np.random.default_rng(seed)
    pairs = (simulate_regressions(rng, speakers, SPEAKERS.get(speakers, 50), tau, uneven) for _ in range(repeats))
    return 100 * sum(compare(*pair, "ccc").p < 0.05 for pair in pairs) / repeats


def gap_of(difference, tau):
    """Return the gap of two extractors on the logit scale whose rates differ by `difference` on average."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    logits = BASE + np.sqrt(0.5**2 + ITEM**2 + tau**2) * points
    low, high = 0.0, 20.0
    for _ in range(50):
        gap = (low + high) / 2
        rates = 1 / (1 + np.exp(-(logits + np.array([[gap / 2], [-gap / 2]]))))
        low, high = (gap, high) if (rates[0] - rates[1]) @ weights / weights.sum() < difference else (low, gap)
    return low


def stated_power(repeats, draw, tau, seed=9):
    """Return the median of the difference that is said to be found with 80 %, and how often it is found, in percent.

    Args:
        repeats: number of simulated pairs.
        draw: function of a random generator and the gaps of two extractors; it returns their comparison.
        tau: SD of the interaction between speaker and extractor.
        seed: seed of the generator.
    """
    rng, gap = np.random.default_rng(seed), 0.0
    for _ in range(3):  # the difference depends on the gap, a little
        stated = [draw(rng, (gap / 2, -gap / 2)).detectable or 1.0 for _ in range(max(20, repeats // 4))]
        gap = gap_of(min(0.9, float(np.median(stated))), tau)
    found = sum(draw(rng, (gap / 2, -gap / 2)).p < 0.05 for _ in range(repeats))
    return 100 * float(np.median(stated)), 100 * found / repeats


def task_pair(speakers, tau):
    """Return a function that draws a comparison of two extractors on one task, for `stated_power`."""
    each = SPEAKERS.get(speakers, 50)
    return lambda rng, gaps: compare(*simulate_extractors(rng, speakers, each, tau, True, gaps))


def mean_pair(tasks, tau):
    """Return a function that draws a comparison of two extractors over tasks, for `stated_power`."""
    return lambda rng, gaps: compare_overall(
        {task: tuple(simulate_extractors(rng, *SUITE[task], tau, True, gaps)) for task in SUITES[tasks]}
    )


def markdown(head, rows):
    """Return the lines of a table."""
    names = head.split(", ")
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (names, *rows)]
    return [lines[0].replace(";", ","), "|" + "---|" * len(names), *lines[1:]]


def coverage_table(repeats):
    """Return the table of the intervals of one task."""
    rows = []
    for speakers, each in SPEAKERS.items():
        for spread in SPREADS:
            cells = [coverage(repeats, speakers, spread, uneven) for uneven in (False, True)]
            rows.append([speakers, each, spread, *(f"{i[m]:.0f} ({w[m]:.0f})" for m in (0, 1) for i, w in cells)])
    head = ["test speakers", "utterances of each", "spread"]
    return markdown(", ".join([*head, "accuracy; even", "accuracy; uneven", "UAR; even", "UAR; uneven"]), rows)


def concordance_table(repeats):
    """Return the table of the intervals of the CCC."""
    rows = []
    for speakers in SPEAKERS:
        cells = [concordance_coverage(repeats, speakers, spread, uneven) for spread in SPREADS for uneven in (0, 1)]
        rows.append([speakers, *(f"{inside:.0f} ({width:.2f})" for inside, width in cells)])
    return markdown("test speakers, " + ", ".join(f"{s}; {k}" for s in SPREADS for k in ("even", "uneven")), rows)


def metrics_table(repeats):
    """Return the table of the intervals of metrics that are no mean over utterances."""
    rows = []
    for speakers in SPEAKERS:
        cells = [value for spread in SPREADS for value in metric_coverage(repeats, speakers, spread)]
        rows.append([speakers, *(f"{value:.0f}" for value in cells)])
    names = [f"{METRICS[metric].title}; {spread}" for spread in SPREADS for metric in OTHER_METRICS]
    return markdown(", ".join(["test speakers", *names]), rows)


def metric_tests_table(repeats):
    """Return the table of the tests on one task by metrics that are no mean over utterances."""
    rows = []
    for speakers in TESTED:
        wrong = [
            max(rejections(repeats, speakers, tau, uneven, metric=metric) for tau in TAUS for uneven in (False, True))
            for metric in OTHER_METRICS
        ]
        wrong.append(
            max(concordance_rejections(repeats, speakers, tau, uneven) for tau in TAUS for uneven in (False, True))
        )
        rows.append([speakers, *(f"{value:.1f}" for value in wrong)])
    names = [METRICS[metric].title for metric in (*OTHER_METRICS, "ccc")]
    return markdown(", ".join(["test speakers", *names]), rows)


def means_table(repeats):
    """Return the table of the intervals of UM."""
    cells = {tasks: [mean_coverage(max(100, repeats // 2), tasks, spread) for spread in SPREADS] for tasks in (3, 9)}
    rows = [[tasks, *(f"{inside:.0f} ({width:.0f})" for inside, width in row)] for tasks, row in cells.items()]
    return markdown("tasks, spread 0, 0.3, 0.6", rows)


def tests_table(repeats):
    """Return the table of the tests on one task."""
    rows = []
    for speakers in TESTED:
        wrong = [max(rejections(repeats, speakers, tau, uneven) for uneven in (False, True)) for tau in TAUS]
        wrong.append(max(rejections(repeats, speakers, 0.4, uneven, metric="uar") for uneven in (False, True)))
        power = [rejections(repeats // 2, speakers, tau, False, GAP) for tau in TAUS[:2]]
        test = "permutation" if speakers >= 6 else "t over speakers"
        rows.append([speakers, test, *(f"{value:.1f}" for value in wrong), *(f"{value:.0f}" for value in power)])
    return markdown("test speakers, test, tau 0, 0.2, 0.4, UAR; 0.4, found; tau 0, 0.2", rows)


def mean_tests_table(repeats):
    """Return the table of the tests of UM."""
    rows = []
    for tasks in SUITES:
        wrong = [mean_rejections(repeats, tasks, tau) for tau in TAUS]
        wrong.append(mean_rejections(repeats, tasks, 0.4, metric="uar"))
        power = [mean_rejections(repeats // 2, tasks, tau, GAP) for tau in TAUS[:2]]
        test = "t over tasks" if tasks >= 4 else "t over speakers"
        rows.append([tasks, test, *(f"{value:.1f}" for value in wrong), *(f"{value:.0f}" for value in power)])
    return markdown("tasks, test, tau 0, 0.2, 0.4, UAR; 0.4, found; tau 0, 0.2", rows)


def power_table(repeats):
    """Return the table of the differences that are said to be found with 80 %."""
    rows = []
    for kind, sizes, pair in (("speakers", TESTED, task_pair), ("tasks", SUITES, mean_pair)):
        for size in sizes:
            cells = [stated_power(max(20, repeats // 2), pair(size, tau), tau) for tau in TAUS]
            rows.append([f"{size} {kind}", *(f"{found:.0f} ({stated:.0f})" for stated, found in cells)])
    return markdown("test, tau 0, 0.2, 0.4", rows)


def boards_table(repeats):
    """Return the table of the boards of equal extractors."""
    cells = {tasks: [board_rejections(max(20, repeats // 4), tasks, tau) for tau in TAUS] for tasks in (3, 9)}
    return markdown("tasks, tau 0, 0.2, 0.4", [[n, *(f"{value:.1f}" for value in row)] for n, row in cells.items()])


def graded_line(_repeats):
    """Return the sentence on many graded extractors."""
    groups = groups_of(np.random.default_rng(7), 9, 0.2, tuple(np.linspace(1.0, -3.0, 100)))
    return [f"100 extractors, graded evenly from about 83 to 18 %, form {groups} groups over the nine tasks."]


TABLES = {
    "coverage": coverage_table, "concordance": concordance_table, "metrics": metrics_table, "means": means_table,
    "tests": tests_table, "metric-tests": metric_tests_table, "mean-tests": mean_tests_table, "power": power_table,
    "boards": boards_table, "graded": graded_line,
}  # fmt: skip


def set_prior_mean(mean):
    """Set the mean of the prior of the within-speaker correlation, for tables with another prior."""
    few_speakers.PRIOR_MEAN = mean
    few_speakers._grid.cache_clear()


def main():
    """Write the tables into the page, or print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="the tables to write")
    parser.add_argument("--prior-mean", type=float, help="of the within-speaker correlation; implies --print")
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    if options.prior_mean is not None:
        set_prior_mean(options.prior_mean)
        options.print = True
    text = "" if options.print else PAGE.read_text()
    for name in options.only:
        block = "\n".join(TABLES[name](options.repeats))
        if options.print:
            print(f"{name}\n{block}\n")
            continue
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n{block}\n\n{end}{rest.partition(end)[2]}"
    if not options.print:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
