"""Measure how accuracy depends on the number of utterances by which a speaker is normalised: docs/protocols.md.

serab data prepare emodb emodb.zip
serab eval mfcc-stats opensmile --tasks emodb --classifiers lda
serab cache export mfcc-stats --task emodb --to mfcc-stats.npz
serab cache export opensmile --task emodb --to opensmile.npz
python benchmarks/normalisation.py mfcc-stats.npz opensmile.npz

The script writes the table and the figure of the page. With --print, or without files, it prints the table; without
files it uses simulated embeddings.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from serab_core import plugins
from serab_core.report.figures.svg import PAPER, Axis, Svg
from serab_core.tune.normalise import per_speaker, standardise
from serab_core.types import Examples

PAGE = Path(__file__).parents[1] / "docs" / "protocols.md"
FIGURE = PAGE.with_name("normalisation.svg")
COUNTS = (1, 2, 5, 10, 20)
FOLDS = 10  # each fold is tested with a classifier that is trained on the speakers of the others
KINDS = {"random": "drawn at random", "balanced": "classes balanced", "one class": "one class only"}


def companions(rng, labels, place, count, kind):
    """Return the utterances by which one utterance of a speaker is normalised: itself, and others at random.

    Args:
        rng: random generator.
        labels: the labels of the speaker's utterances, shape (n,).
        place: the utterance.
        count: number of utterances; fewer are returned where the speaker has no more.
        kind: `random`; `balanced` over the classes, as far as the speaker's utterances allow; or `one class`, that of
            the utterance.
    """
    first = np.argsort(np.arange(len(labels)) != place, kind="stable")
    order = np.concatenate([first[:1], rng.permutation(first[1:])])
    if kind == "one class":
        order = order[labels[order] == labels[place]]
    elif kind == "balanced":
        seen = np.array([np.sum(labels[order[:i]] == labels[order[i]]) for i in range(len(order))])
        order = order[np.argsort(seen, kind="stable")]
    return order[:count]


def in_batches(rng, embeddings, labels, speakers, count, kind):
    """Return features, shape (n, dim): each utterance is normalised together with its companions."""
    features = np.empty(embeddings.shape)
    for speaker in np.unique(speakers):
        rows = np.flatnonzero(speakers == speaker)
        for place, row in enumerate(rows):
            chosen = rows[companions(rng, labels[rows], place, count, kind)]
            features[row] = standardise(embeddings[chosen].astype(np.float64))[0]
    return features


def curve(embeddings, labels, speakers, repeats, seed=0):
    """Return accuracies in percent by kind and count; count 0 stands for all utterances of the speaker.

    Every speaker is tested once, with an LDA that is trained on whole speakers of the other folds. The kind `training`
    has the accuracy with the statistics of the training speakers, as in the protocol `strict`.
    """
    rng, spec = np.random.default_rng(seed), plugins.classifier("lda")
    names, classes = np.unique(speakers), np.unique(labels, return_inverse=True)[1]
    fold = np.searchsorted(names, speakers) % min(FOLDS, len(names))
    right = {(kind, count): 0.0 for kind in KINDS for count in (*COUNTS, 0)} | {("training", 0): 0.0}
    for number in np.unique(fold):
        train, test = fold != number, fold == number
        parts = [train & (fold % 2 == parity) for parity in (0, 1)]  # the refit uses both

        def fitted(features, parts=parts):
            examples = [Examples(features[part], classes[part], int(classes.max()) + 1) for part in parts]
            return spec.prepare(*examples, seed=42).refit({})

        predictor = fitted(per_speaker(embeddings, speakers.tolist(), ["train"] * len(speakers)))
        for kind, count in right:
            if kind == "training":
                features = standardise(embeddings.astype(np.float64), embeddings[train].astype(np.float64))
                right[kind, count] += repeats * np.sum(fitted(features).predict(features[test]) == classes[test])
                continue
            for _ in range(repeats):
                some = (embeddings[test], labels[test], speakers[test])
                features = in_batches(rng, *some, count or len(labels), kind)
                right[kind, count] += np.sum(predictor.predict(features) == classes[test])
    return {key: 100 * value / repeats / len(labels) for key, value in right.items()}


def simulated(rng, speakers=8, classes=4, each=12, dim=20):
    """Return embeddings, labels and speakers; speakers differ more than classes do."""
    labels = np.tile(np.repeat(np.arange(classes), each), speakers)
    who = np.repeat(np.arange(speakers), classes * each)
    means, offsets = rng.standard_normal((classes, dim)), 2 * rng.standard_normal((speakers, dim))
    noise = 1.5 * rng.standard_normal((len(labels), dim))
    return (means[labels] + offsets[who] + noise).astype(np.float32), labels.astype(str), who.astype(str)


def table(curves):
    """Return the rows of the table."""
    rows = [
        "| features | other utterances | 1 | " + " | ".join(map(str, COUNTS[1:])) + " | all | training statistics |",
        "|---|---|" + "---|" * (len(COUNTS) + 2),
    ]
    for name, values in curves.items():
        for kind, text in KINDS.items():
            cells = [f"{values[kind, count]:.0f}" for count in (*COUNTS, 0)]
            rows.append(f"| {name} | {text} | {' | '.join(cells)} | {values['training', 0]:.0f} |")
    return rows


def figure(curves):
    """Return the figure as SVG: a line for each set of features and each kind of companions."""
    drawing = Svg(720, 340, "Accuracy by the number of utterances that normalise a speaker", PAPER)
    x, y = Axis(0, len(COUNTS), 60, 430), Axis(0, 100, 300, 20)
    for mark in range(0, 101, 20):
        drawing.line(60, y.at(mark), 430, y.at(mark), PAPER.grid)
        drawing.text(52, y.at(mark) + 4, str(mark), PAPER.soft, size=12, anchor="end")
    for place, count in enumerate((*COUNTS, "all")):
        drawing.text(x.at(place), 318, str(count), PAPER.soft, size=12, anchor="middle")
    drawing.text(
        245, 336, "utterances of the speaker that are normalised together", PAPER.soft, size=12, anchor="middle"
    )
    drawing.text(60, 14, "accuracy, %", PAPER.soft, size=12)
    ends = []
    for name, values in curves.items():
        for kind, colour in zip(KINDS, (PAPER.mark, PAPER.second, PAPER.soft), strict=True):
            points = [(x.at(place), y.at(values[kind, count])) for place, count in enumerate((*COUNTS, 0))]
            drawing.path(points, colour)
            for point in points:
                drawing.dot(*point, colour, 3)
            ends.append([points[-1][1] + 4, f"{name}, {KINDS[kind]}", colour])
        height = y.at(values["training", 0])
        drawing.line(60, height, 430, height, PAPER.ink, dash="4 4")
        ends.append([height + 4, f"{name}, training statistics", PAPER.ink])
    ends.sort()
    for before, after in pairwise(ends):
        after[0] = max(after[0], before[0] + 14)
    for height, text, colour in ends:
        drawing.text(440, height, text, colour, size=12)
    return drawing.rendered() + "\n"


def main():
    """Write the table and the figure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="files of `serab cache export`")
    parser.add_argument("--repeats", type=int, default=5, help="draws of each number of utterances")
    parser.add_argument("--print", action="store_true")
    options = parser.parse_args()
    curves = {}
    for path in options.files:
        with np.load(path) as data:
            name = f"{data['extractor']}, {data['task']}"
            curves[name] = curve(data["embeddings"], data["labels"], data["speakers"], options.repeats)
    if not options.files:
        curves["simulated"] = curve(*simulated(np.random.default_rng(0)), options.repeats)
    block = "\n".join(table(curves))
    if options.print or not options.files:
        print(block)
        return
    start, end = "<!-- normalisation -->\n", "<!-- end of normalisation -->"
    before, _, rest = PAGE.read_text().partition(start)
    PAGE.write_text(f"{before}{start}\n{block}\n\n{end}{rest.partition(end)[2]}")
    FIGURE.write_text(figure(curves))


if __name__ == "__main__":
    main()
