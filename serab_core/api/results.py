"""Results as objects: scores, confusion, intervals, predictions, and tables of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, overload

from serab_core.api.frames import as_html, as_text, data_frame
from serab_core.api.homes import use_home
from serab_core.errors import UsageError
from serab_core.types import ContinuousResult

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas
    from rich.console import Console

    from serab_core.api.boards import Leaderboard
    from serab_core.score.bootstrap import Interval
    from serab_core.types import Failure, Predictions, TaskResult
    from serab_core.types import Run as CoreRun

    Stored = TaskResult | ContinuousResult
    Metric = Literal["accuracy", "uar", "macro_f1", "ccc", "pearson", "rmse"]

COLUMNS = (
    "extractor", "task", "language", "protocol", "metric", "value", "low", "high", "classifier", "utterances",
    "speakers", "cautions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The scores of one class, in [0, 1], and how many test utterances have it."""

    recall: float
    precision: float
    f1: float
    utterances: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each class was predicted as each.

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
        stored: the stored document as data, with everything that is known of the result.
        reused: whether it was there before the call that returned it.

    Example:
        >>> result = serab.evaluate("chance", tasks=["demo"], progress=False)["chance", "demo"]
        >>> result
        Result(chance on demo: accuracy 25.0 %, UAR 25.0 %)
        >>> result.interval("uar").over
        'utterances'
    """

    stored: Stored
    reused: bool = False

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
    def target(self) -> str | None:
        """The continuous target; None for classes."""
        return self.stored.target if isinstance(self.stored, ContinuousResult) else None

    @property
    def classifier(self) -> str:
        """The classifier or regressor that the protocol chose."""
        return self.stored.chosen

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the chosen classifier."""
        return dict(self.stored.outcome(self.stored.chosen).params or {})

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the score, in sentences. Show them wherever you show the score."""
        return self.stored.cautions

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, fingerprint, digests, seeds and machine."""
        return self.stored.provenance

    @property
    def scores(self) -> dict[str, float]:
        """Every score by its metric: `accuracy`, `uar` and `macro_f1`; or `ccc`, `pearson` and `rmse`."""
        if isinstance(self.stored, ContinuousResult):
            return dict(self.stored.scores)
        from serab_core.score.metrics import macro_f1

        test = self._test
        return {
            "accuracy": self.stored.accuracy,
            "uar": self.stored.uar,
            "macro_f1": macro_f1(test.truth, test.predicted),
        }

    @property
    def accuracy(self) -> float:
        """The fraction of test utterances whose class was recognised (WA), in [0, 1]."""
        return self._score("accuracy")

    @property
    def uar(self) -> float:
        """The unweighted average recall, in [0, 1]."""
        return self._score("uar")

    @property
    def macro_f1(self) -> float:
        """The mean of F1 over the classes, in [0, 1]."""
        return self._score("macro_f1")

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
        """How often each class was predicted as each. Raises UsageError for a continuous target."""
        from serab_core.score.metrics import confusion

        self._score("accuracy")
        return Confusion(self.labels, confusion(self._test.truth, self._test.predicted, self.labels))

    @property
    def per_class(self) -> dict[str, ClassScore]:
        """The scores of each class. Raises UsageError for a continuous target."""
        table = self.confusion
        scores = {}
        for place, label in enumerate(table.labels):
            hits, true, predicted = (
                int(n) for n in (table.counts[place, place], table.counts[place].sum(), table.counts[:, place].sum())
            )
            scores[label] = ClassScore(
                recall=hits / true if true else 0.0,
                precision=hits / predicted if predicted else 0.0,
                f1=2 * hits / (true + predicted),
                utterances=true,
            )
        return scores

    def interval(self, metric: str = "uar") -> Interval:
        """Return the 95 % confidence interval of a score.

        Args:
            metric: `accuracy` or `uar`; `ccc` for a continuous target.

        Returns:
            low and high, and `over`: `speakers`, or `utterances` where there are fewer than five test speakers. The
            latter knows nothing of how speakers differ.

        Raises:
            UsageError: there is no interval of that metric.
        """
        from serab_core.score.bootstrap import concordance_interval, drawn
        from serab_core.score.scored import scored

        if isinstance(self.stored, ContinuousResult):
            if metric == "ccc":
                return concordance_interval(self.stored)
            raise UsageError(f"there is no interval of {metric!r}", next_step="on continuous targets: interval('ccc')")
        if metric == "accuracy":
            return drawn(scored(self.stored)).interval("accuracy")
        if metric == "uar":
            return drawn(scored(self.stored)).interval("uar")
        raise UsageError(f"there is no interval of {metric!r}", next_step="there are: accuracy, uar")

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
        with_interval = ("ccc",) if self.target is not None else ("accuracy", "uar")
        rows = []
        for metric, value in self.scores.items():
            interval = self.interval(metric) if metric in with_interval else None
            low, high = (None, None) if interval is None else (interval.low, interval.high)
            rows.append({**shared, "metric": metric, "value": value, "low": low, "high": high})
        return rows

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each metric. Raises UsageError without pandas."""
        return data_frame(self.rows(), COLUMNS)

    def __repr__(self) -> str:
        if self.target is not None:
            return f"Result({self.extractor} on {self.task}: CCC {self.ccc:.3f})"
        return f"Result({self.extractor} on {self.task}: accuracy {_percent(self.accuracy)}, UAR {_percent(self.uar)})"

    def _repr_html_(self) -> str:
        return results_html([self], self.cautions)

    @property
    def _test(self) -> Predictions:
        test = self.stored.outcome(self.stored.chosen).test
        assert test is not None, "the chosen classifier has predictions"
        return test

    def _score(self, metric: str) -> float:
        scores = self.scores
        if metric not in scores:
            raise UsageError(
                f"there is no {metric} of {self.extractor} on {self.task}", next_step=f"there are: {', '.join(scores)}"
            )
        return scores[metric]


@dataclass(frozen=True, slots=True, repr=False)
class Results:
    """Results, in a table.

    Look up one by extractor and task: `results["mfcc-stats", "emodb"]`; iterate over all of them.

    Attributes:
        results: the results.
        notices: what a reader must know of them, in sentences.
        home: the home they are of, for a leaderboard; "" for the one of the settings.
    """

    results: tuple[Result, ...]
    notices: tuple[str, ...] = ()
    home: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, key: int) -> Result: ...

    @overload
    def __getitem__(self, key: str | tuple[str, str]) -> Result: ...

    def __getitem__(self, key: int | str | tuple[str, str]) -> Result:
        """Return one result: by extractor and task, by extractor where it has one task only, or by position.

        Raises:
            KeyError: there is no such result, or several are.
        """
        if isinstance(key, int):
            return self.results[key]
        name, task = (key, None) if isinstance(key, str) else key
        name = self.aliases.get(name, name)
        matching = [own for own in self.results if own.extractor == name and task in (None, own.task)]
        if len(matching) == 1:
            return matching[0]
        raise KeyError(self._problem(name, task, matching))

    def _problem(self, name: str, task: str | None, matching: Sequence[Result]) -> str:
        place = name if task is None else f"{name} on {task}"
        if matching:
            tasks = sorted({own.task for own in matching})
            if len(tasks) > 1:
                return f"{name} has results on {', '.join(tasks)}: say which, as in results[{name!r}, {tasks[0]!r}]"
            return f"there are {len(matching)} results of {place}, by protocol, version or data: iterate to choose"
        known = sorted({own.extractor for own in self.results} | {own.task for own in self.results})
        near = get_close_matches(name, known, n=3)
        return f"there is no result of {place}" + (f"; nearest: {', '.join(near)}" if near else "")

    def filter(self, extractor: str | None = None, task: str | None = None, protocol: str | None = None) -> Results:
        """Return the results that have all of these names."""
        name = self.aliases.get(extractor, extractor) if extractor else None
        kept = [
            own
            for own in self.results
            if name in (None, own.extractor) and task in (None, own.task) and protocol in (None, own.protocol)
        ]
        return Results(tuple(kept), self.notices, self.home, self.aliases)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each extractor, task and metric.

        Returns:
            columns `extractor`, `task`, `language`, `protocol`, `metric`, `value` (a fraction in [0, 1] for accuracy,
            UAR and macro-F1), `low` and `high` (95 % interval, where there is one), `classifier`, `utterances`,
            `speakers` (of the test split) and `cautions`.

        Raises:
            UsageError: pandas is not installed.

        Example:
            >>> run = serab.evaluate(["chance", "mfcc-stats"], tasks=["demo"], progress=False)
            >>> run.to_dataframe().pivot(index="extractor", columns="metric", values="value").shape
            (2, 3)
        """
        return data_frame([row for own in self.results for row in own.rows()], COLUMNS)

    def leaderboard(
        self, suite: str = "serab", metric: Literal["accuracy", "uar"] = "accuracy", protocol: str | None = None
    ) -> Leaderboard:
        """Rank the extractors of these results by what the home holds.

        Args:
            suite: the tasks of the mean: `serab`, the nine of the paper.
            metric: what tables show.
            protocol: that of the settings by default.

        Raises:
            UsageError: there is no such suite, or no result.
        """
        from serab_core.api.boards import load_leaderboard

        names = list(dict.fromkeys(own.extractor for own in self.results))
        tasks = list(dict.fromkeys(own.task for own in self.results))
        return load_leaderboard(self.home or None, names, tasks, suite=suite, metric=metric, protocol=protocol)

    def __repr__(self) -> str:
        lines = [repr(own) for own in self.results]
        count = f"{len(lines)} result{'' if len(lines) == 1 else 's'}"
        return "\n".join([count, *lines[:_SHOWN], *(["..."] if len(lines) > _SHOWN else [])])

    def _repr_html_(self) -> str:
        return results_html(self.results, self.notices)


_SHOWN = 40  # results that a repr lists


@dataclass(frozen=True, slots=True, repr=False)
class Run(Results):
    """What `serab.evaluate` returns: results, and what could not be computed.

    Attributes:
        run: the run as plain data.

    Example:
        >>> run = serab.evaluate(["chance", "mfcc-stats"], tasks=["demo"], progress=False)
        >>> [result.extractor for result in run]
        ['chance', 'mfcc-stats']
        >>> run.failures
        ()
    """

    run: CoreRun | None = None

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The pairs of extractor and task that could not be computed, each with its error."""
        return () if self.run is None else self.run.failures

    def _problem(self, name: str, task: str | None, matching: Sequence[Result]) -> str:
        from serab_core.report.tables import failure_text

        for failure in self.failures:
            if failure.extractor == name and task in (None, failure.task):
                return failure_text(failure)
        return Results._problem(self, name, task, matching)

    def __repr__(self) -> str:
        from serab_core.report.tables import print_run

        run = self.run
        if run is None:
            return Results.__repr__(self)

        def show(console: Console) -> None:
            print_run(console, run)

        return as_text(show)


def run_of(run: CoreRun, aliases: Mapping[str, str], home: str = "") -> Run:
    """Return a run of the core as an object of the interface."""
    stored: list[Stored] = [*run.results, *run.continuous]
    results = [Result(own, own.key in run.reused) for own in stored]
    order = {pair: place for place, pair in enumerate((name, task) for name in run.extractors for task in run.tasks)}
    results.sort(key=lambda own: order.get((own.extractor, own.task), len(order)))
    return Run(tuple(results), run.notices, home, aliases, run)


def results_html(results: Sequence[Result], notices: Sequence[str]) -> str:
    """Return results as an HTML table, with the notices and every caution below it."""
    heads = ["Extractor", "Task", "Accuracy %", "95 %", "UAR %", "95 %", "Macro-F1 %", "Classifier"]
    continuous = any(own.target is not None for own in results)
    rows = []
    for own in results:
        scores = own.scores
        cells = []
        for metric in ("accuracy", "uar"):
            interval = own.interval(metric) if metric in scores else None
            cells += [_points(scores.get(metric)), _range(interval)]
        cells.append(_points(scores.get("macro_f1")))
        more = [f"{scores['ccc']:.3f}" if "ccc" in scores else ""] if continuous else []
        rows.append([own.extractor, own.task, *cells, *more, own.classifier])
    if continuous:
        heads.insert(7, "CCC")
    cautions = [f"{own.task}: {caution}" for own in results for caution in own.cautions]
    return as_html(heads, rows, dict.fromkeys([*cautions, *notices]))


def load_results(
    home: str | os.PathLike[str] | None = None, *, extractor: str | None = None, protocol: str | None = None
) -> Results:
    """Load the results that are stored in a home.

    Of several results of one version of an extractor on one task, the best known one is loaded, as the leaderboard
    does. Files that cannot be read are left out, and named in `notices`.

    Args:
        home: the home; that of the settings by default.
        extractor: only results of this extractor.
        protocol: only results under this protocol.

    Example:
        >>> run = serab.evaluate("chance", tasks=["demo"], progress=False)
        >>> serab.load_results(extractor="chance")["chance", "demo"].uar == run["chance", "demo"].uar
        True
    """
    from serab_core import plugins
    from serab_core.report.stored import valid_continuous, valid_results
    from serab_core.store.results import best_known

    with use_home(home) as used:
        stored, errors = valid_results(used)
        continuous, more = valid_continuous(used)
        results = [Result(entry.result, reused=True) for entry in best_known(stored)]
        results += [Result(entry.result, reused=True) for entry in best_known(continuous)]
        name = plugins.canonical_name(extractor) if extractor else None
        aliases = {extractor: name} if extractor and name else {}
    results.sort(key=lambda own: (own.extractor, own.task, own.protocol))
    notices = tuple(f"Left out: {error}" for error in (*errors, *more))
    return Results(tuple(results), notices, str(used.root) if home else "", aliases).filter(name, protocol=protocol)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _points(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _range(interval: Interval | None) -> str:
    return "" if interval is None else f"{_points(interval.low)} to {_points(interval.high)}"
