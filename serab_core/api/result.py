"""One result as a Python object: scores, confusion matrix, intervals and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from serab_core.api.frames import as_html, data_frame
from serab_core.errors import UsageError
from serab_core.report.cautions import few_speakers_statement
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas

    from serab_core.score.bootstrap import Interval
    from serab_core.score.classes import ClassScore
    from serab_core.score.folds import FoldSummary
    from serab_core.score.margins import Choice, FoldChoices
    from serab_core.score.seeds import SeedSummary
    from serab_core.types import FoldResult, Predictions, TaskResult

COLUMNS = (
    "extractor", "task", "language", "protocol", "metric", "value", "low", "high", "classifier", "utterances",
    "speakers", "cautions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Confusion:
    """A confusion matrix.

    Attributes:
        labels: the classes.
        counts: shape (labels, labels); the row is the true class, the column the predicted one.
    """

    labels: tuple[str, ...]
    counts: npt.NDArray[np.int64]

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the counts with labels. Raises UsageError without pandas."""
        frame = data_frame([dict(zip(self.labels, map(int, row), strict=True)) for row in self.counts], self.labels)
        frame.index = list(self.labels)
        return frame

    def _repr_html_(self) -> str:
        rows = [[label, *map(str, row)] for label, row in zip(self.labels, self.counts, strict=True)]
        return as_html(["true \\ predicted", *self.labels], rows)


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """The score of one extractor on one task.

    Attributes:
        stored: the stored result, with all its fields.
        reused: whether the result was stored before the call that returned it.
        seeds: the scores under several seeds, `seeds.scores`, and their range by metric, `seeds.ranges`; None if no
            result under another seed is known.

    Examples:
        >>> result = serab.evaluate("chance", tasks=["demo"], progress=False)["chance", "demo"]
        >>> result
        Result(chance on demo: accuracy 25.0 %, UAR 25.0 %)
        >>> result.interval("uar").method
        'beta-binomial'
    """

    stored: TaskResult
    reused: bool = False
    seeds: SeedSummary | None = None

    @property
    def extractor(self) -> str:
        """The name of the extractor."""
        return self.stored.extractor

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.stored.task

    @property
    def protocol(self) -> str:
        """The name of the protocol."""
        return self.stored.protocol

    @property
    def variant(self) -> str:
        """The split variant, such as `default`."""
        return self.stored.variant

    @property
    def target(self) -> str | None:
        """The continuous target; None for classes."""
        return self.stored.target

    @property
    def classifier(self) -> str:
        """The classifier or regressor that the protocol chose."""
        return self.stored.chosen

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the chosen classifier."""
        return dict(self.stored.outcome().params or {})

    @property
    def probe(self) -> float | None:
        """The test score of LDA alone, by the metric by which the protocol selects; None without LDA.

        It depends on no choice between classifiers and on no seed.
        """
        from serab_core.score.probe import probe_score

        return probe_score(self.stored)

    @property
    def choice(self) -> Choice | None:
        """The margin of the choice between classifiers, and the runners-up; None for a protocol with several folds.

        Examples:
            >>> run = serab.evaluate("mfcc-stats", tasks=["demo"], classifiers=["lda", "qda"], progress=False)
            >>> choice = run["mfcc-stats", "demo"].choice
            >>> choice.split, choice.metric, [runner_up.classifier for runner_up in choice.runners_up]
            ('validation', 'accuracy', ['qda'])
        """
        from serab_core.score.margins import choice_of

        return choice_of(self.stored)

    @property
    def fold_choices(self) -> FoldChoices | None:
        """In how many folds the choice is a tie or depends on one utterance; None for a protocol with one split."""
        from serab_core.score.margins import fold_choices

        return fold_choices(self.stored)

    @property
    def folds(self) -> tuple[FoldResult, ...]:
        """The folds, for a protocol that has several; `accuracy` and the other scores are over all folds together."""
        return self.stored.folds

    def over_folds(self, metric: str = "uar") -> FoldSummary:
        """Return the mean and spread of a score over the folds.

        Returns:
            `folds`, `mean`, `deviation` between folds, `error` of the mean, `low` and `high`.

        Raises:
            UsageError: the result has no folds, or its folds do not have that score.
        """
        from serab_core.score.folds import fold_summary

        summary = fold_summary(self.stored, metric)
        if summary is None:
            raise UsageError(
                f"{self.extractor} has no {metric} of folds on {self.task} under protocol {self.protocol}",
                next_step="evaluate with the protocol loso, repeated or folds",
            )
        return summary

    @property
    def cautions(self) -> tuple[str, ...]:
        """Sentences on what limits the score. Show them wherever you show the score."""
        return self.stored.cautions

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, fingerprint, digests, seeds and machine."""
        return self.stored.provenance

    @property
    def scores(self) -> dict[str, float]:
        """Every score by its metric.

        For classes `accuracy`, `uar`, `macro_recall`, `macro_f1`, `weighted_f1` and `kappa`; a classifier that gives
        probabilities adds `ece`, `log_loss` and `top2`. For a continuous target `ccc`, `pearson` and `rmse`.
        """
        return dict(self.stored.scores)

    @property
    def accuracy(self) -> float:
        """The fraction of test utterances with a correct prediction (WA), in [0, 1]."""
        return self._score("accuracy")

    @property
    def uar(self) -> float:
        """The unweighted average recall over the classes of the test split, in [0, 1]."""
        return self._score("uar")

    @property
    def macro_recall(self) -> float:
        """The mean recall over the classes that are true or predicted, in [0, 1]: the UAR of the released script."""
        return self._score("macro_recall")

    @property
    def macro_f1(self) -> float:
        """The mean of F1 over the classes of the test split, in [0, 1]."""
        return self._score("macro_f1")

    @property
    def weighted_f1(self) -> float:
        """The mean of F1 over the classes, weighted by their numbers of utterances, in [0, 1]."""
        return self._score("weighted_f1")

    @property
    def kappa(self) -> float:
        """Cohen's kappa, the agreement beyond chance, in [-1, 1]."""
        return self._score("kappa")

    @property
    def ccc(self) -> float:
        """The concordance correlation coefficient, in [-1, 1] (Lin, 1989)."""
        return self._score("ccc")

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that occur in the test split or among its predictions, sorted."""
        return tuple(sorted({str(label) for label in (*self._test.truth, *self._test.predicted)}))

    @property
    def confusion(self) -> Confusion:
        """The confusion matrix. Raises UsageError for a continuous target."""
        from serab_core.score.metrics import confusion

        self._score("accuracy")
        return Confusion(self.labels, confusion(self._test.truth, self._test.predicted, self.labels))

    @property
    def per_class(self) -> dict[str, ClassScore]:
        """The scores of each class. Raises UsageError for a continuous target."""
        from serab_core.score.classes import class_scores_of
        from serab_core.score.scored import scored

        self._score("accuracy")
        return class_scores_of(scored(self.stored))

    def interval(self, metric: str = "uar", *, over: Literal["speakers", "utterances"] = "speakers") -> Interval:
        """Return the 95 % confidence interval of a score.

        Args:
            metric: `accuracy`, `uar`, `macro_recall`, `macro_f1`, `weighted_f1` or `kappa`; `ccc` for a continuous
                target.
            over: `speakers` for an interval that is valid for new speakers; with fewer than five test speakers it comes
                from a model of the differences between speakers, and is wide. `utterances` for an interval that is
                valid only for new utterances of these speakers, and is too narrow for claims about other speakers.

        Returns:
            low, high, and the method: `over`, `groups` (number of speakers or utterances) and `method`.

        Raises:
            UsageError: there is no interval of that metric.
        """
        from serab_core.score.bootstrap import task_draws
        from serab_core.score.metrics import RANKING_METRICS

        if metric not in RANKING_METRICS or metric not in self.stored.scores:
            known = [name for name in RANKING_METRICS if name in self.stored.scores]
            raise UsageError(f"there is no interval of {metric!r}", next_step=f"use one of {', '.join(known)}")
        if over == "utterances" and len(self._test.ids) < 2:
            raise UsageError("one utterance has no interval over utterances", next_step="use over='speakers'")
        return task_draws(self.stored, over=over).interval(metric)

    def probabilities(self) -> pandas.DataFrame:
        """Return the predicted probability of each class for each test utterance.

        Returns:
            a row for each utterance, indexed by its id, and a column for each class.

        Raises:
            UsageError: the classifier gives no probabilities, or pandas is not installed.
        """
        from serab_core.score.outcome import probability_table

        test = self._test
        if not test.probabilities:
            raise UsageError(
                f"{self.classifier} gave no probabilities for {self.extractor} on {self.task}",
                next_step="choose a classifier that gives them, such as lr, lda or rf; results that an earlier version "
                "stored have none",
            )
        rows = [dict(zip(test.labels, row, strict=True)) for row in probability_table(test).tolist()]
        frame = data_frame(rows, test.labels)
        frame.index = list(test.ids)
        return frame

    def predictions(self) -> pandas.DataFrame:
        """Return a row for each test utterance: `utterance`, `speaker`, `truth`, `predicted`.

        Raises:
            UsageError: pandas is not installed.
        """
        test = self._test
        rows = [
            {"utterance": name, "speaker": self.stored.speakers[name], "truth": truth, "predicted": predicted}
            for name, truth, predicted in zip(test.ids, test.truth, test.predicted, strict=True)
        ]
        return data_frame(rows, ("utterance", "speaker", "truth", "predicted"))

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each metric, with the columns of `Run.to_dataframe`."""
        shared = {
            "extractor": self.extractor,
            "task": self.task,
            "language": self.stored.language,
            "protocol": self.protocol,
            "classifier": self.classifier,
            "utterances": len(self._test.ids),
            "speakers": len({self.stored.speakers[name] for name in self._test.ids}),
            "cautions": "; ".join(self.cautions),
        }
        from serab_core.score.bootstrap import task_draws
        from serab_core.score.metrics import METRICS

        rows, draws = [], task_draws(self.stored)
        for metric, value in self.scores.items():
            interval = draws.interval(metric) if metric in METRICS and METRICS[metric].ranks else None
            low, high = (None, None) if interval is None else (interval.low, interval.high)
            rows.append({**shared, "metric": metric, "value": value, "low": low, "high": high})
        return rows

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each metric. Raises UsageError without pandas."""
        return data_frame(self.rows(), COLUMNS)

    def __repr__(self) -> str:
        place = escape_line(f"{self.extractor} on {self.task}")
        if self.target is not None:
            return f"Result({place}: CCC {self.ccc:.3f})"
        from serab_core.score.metrics import METRICS
        from serab_core.score.released import average_recall

        recall = METRICS[average_recall(self.protocol)]
        average = f"{recall.title} {_percent(self.scores[recall.name])}"
        return f"Result({place}: accuracy {_percent(self.accuracy)}, {average})"

    def _repr_html_(self) -> str:
        return results_html([self], self.cautions)

    @property
    def _test(self) -> Predictions:
        test = self.stored.outcome().test
        assert test is not None, "the chosen classifier has predictions"
        return test

    def _score(self, metric: str) -> float:
        scores = self.scores
        if metric not in scores:
            raise UsageError(
                f"{self.extractor} has no score {metric} on {self.task}", next_step=f"use one of {', '.join(scores)}"
            )
        return scores[metric]


def results_html(results: Sequence[Result], notices: Sequence[str]) -> str:
    """Return results as an HTML table, with all cautions and notices below it."""
    from serab_core.report.tables import interval_text
    from serab_core.score.bootstrap import task_draws
    from serab_core.score.metrics import METRICS
    from serab_core.score.released import average_recall

    present = {metric for result in results for metric in result.scores}
    recalls = dict.fromkeys(average_recall(result.protocol) for result in results)
    shown = [name for name in ("accuracy", *recalls, "macro_f1", "ccc") if name in present]
    with_interval = [name for name in shown if name != "macro_f1"]
    heads = ["Extractor", "Task"]
    for name in shown:
        metric = METRICS[name]
        title = metric.title[0].upper() + metric.title[1:]
        heads += [f"{title} %" if metric.percent else title, *(["95 %"] if name in with_interval else [])]
    rows, methods = [], set()
    for result in results:
        draws = task_draws(result.stored)
        methods.add((result.task, draws.groups, draws.method))
        cells = []
        for name in shown:
            known = name in result.scores
            cells.append(METRICS[name].text(result.scores[name]) if known else "")
            if name in with_interval:
                cells.append(interval_text(draws.interval(name), name) if known else "")
        rows.append([result.extractor, result.task, *cells, result.classifier])
    cautions = [f"{result.task}: {caution}" for result in results for caution in result.cautions]
    return as_html([*heads, "Classifier"], rows, dict.fromkeys([*cautions, *few_speakers_statement(methods), *notices]))


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
