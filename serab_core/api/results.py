"""Tables of results as Python objects: the results of a run, and the stored results of a home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, overload

from serab_core.api.frames import as_text, data_frame
from serab_core.api.homes import use_home
from serab_core.api.result import COLUMNS, Result, results_html
from serab_core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pandas
    from rich.console import Console

    from serab_core.api.boards import Leaderboard
    from serab_core.types import Failure
    from serab_core.types import Run as CoreRun


@dataclass(frozen=True, slots=True, repr=False)
class Results:
    """A table of results.

    Look up a result by extractor and task, `results["mfcc-stats", "emodb"]`, or iterate over all results.

    Attributes:
        results: the results.
        notices: sentences that a reader of the results must know.
        home: the home of the results, for a leaderboard; "" for the home of the settings.
        aliases: names of extractors as the caller gave them, with the names that the results have.
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
        """Return a result by extractor and task, by extractor if it has only one task, or by position.

        Raises:
            KeyError: there is no such result, or there are several.
        """
        if isinstance(key, int):
            return self.results[key]
        name, task = (key, None) if isinstance(key, str) else key
        name = self.aliases.get(name, name)
        matching = [result for result in self.results if result.extractor == name and task in (None, result.task)]
        if len(matching) == 1:
            return matching[0]
        raise KeyError(self._problem(name, task, matching))

    def _problem(self, name: str, task: str | None, matching: Sequence[Result]) -> str:
        place = name if task is None else f"{name} on {task}"
        if matching:
            tasks = sorted({result.task for result in matching})
            if len(tasks) > 1:
                example = f"results[{name!r}, {tasks[0]!r}]"
                return f"{name} has results on {', '.join(tasks)}: choose one, as in {example}"
            return (
                f"there are {len(matching)} results of {place}, which differ in protocol, version or data: "
                "iterate over them to choose one"
            )
        known = sorted({result.extractor for result in self.results} | {result.task for result in self.results})
        return f"there is no result of {place}. {did_you_mean(get_close_matches(name, known, n=3))}".rstrip()

    def filter(self, extractor: str | None = None, task: str | None = None, protocol: str | None = None) -> Results:
        """Return the results that match all given names."""
        name = self.aliases.get(extractor, extractor) if extractor else None
        matches = [
            result
            for result in self.results
            if name in (None, result.extractor) and task in (None, result.task) and protocol in (None, result.protocol)
        ]
        return Results(tuple(matches), self.notices, self.home, self.aliases)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each extractor, task and metric.

        Returns:
            columns `extractor`, `task`, `language`, `protocol`, `metric`, `value` (a fraction, not percent),
            `low` and `high` (95 % interval, if there is one), `classifier`, `utterances`,
            `speakers` (of the test split) and `cautions`.

        Raises:
            UsageError: pandas is not installed.

        Examples:
            >>> run = serab.evaluate(["chance", "mfcc-stats"], tasks=["demo"], progress=False)
            >>> run.to_dataframe().pivot(index="extractor", columns="metric", values="value")["uar"].idxmax()
            'mfcc-stats'
        """
        return data_frame([row for result in self.results for row in result.rows()], COLUMNS)

    def leaderboard(self, suite: str = "serab", metric: str | None = None, protocol: str | None = None) -> Leaderboard:
        """Rank the extractors of these results by all results that the home holds.

        Args:
            suite: the suite of the mean: `serab`, the nine tasks of the paper.
            metric: the metric that ranks extractors and that tables show: `accuracy`, `uar`, `macro_recall`,
                `macro_f1`, `weighted_f1` or `kappa`, or `ccc` for continuous targets; by default UAR under `strict`,
                else accuracy.
            protocol: the protocol; that of these results by default.

        Raises:
            UsageError: the suite is unknown, there is no result, or these results are of several protocols and the call
                names none.
        """
        from serab_core.api.boards import build_leaderboard

        protocols = sorted({result.protocol for result in self.results})
        if protocol is None and len(protocols) > 1:
            raise UsageError(
                f"these results are of several protocols: {', '.join(protocols)}",
                next_step=f"choose one: leaderboard(protocol={protocols[0]!r})",
            )
        protocol = protocol or next(iter(protocols), None)
        names = list(dict.fromkeys(result.extractor for result in self.results))
        tasks = list(dict.fromkeys(result.task for result in self.results))
        return build_leaderboard(self.home or None, names, tasks, suite=suite, metric=metric, protocol=protocol)

    def __repr__(self) -> str:
        lines = [repr(result) for result in self.results]
        count = f"{len(lines)} result{'' if len(lines) == 1 else 's'}"
        return "\n".join([count, *lines[:_SHOWN], *(["..."] if len(lines) > _SHOWN else [])])

    def _repr_html_(self) -> str:
        return results_html(self.results, self.notices)


_SHOWN = 40  # results that a repr lists; more would fill the screen


@dataclass(frozen=True, slots=True, repr=False)
class Run(Results):
    """The return value of `serab.evaluate`: results, and failures.

    Attributes:
        run: the run as plain data.

    Examples:
        >>> run = serab.evaluate(["chance", "mfcc-stats"], tasks=["demo"], progress=False)
        >>> [result.extractor for result in run]
        ['chance', 'mfcc-stats']
        >>> run.failures
        ()
    """

    run: CoreRun | None = None

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The evaluations that failed, each with its extractor, its task and its error."""
        return () if self.run is None else self.run.failures

    def _problem(self, name: str, task: str | None, matching: Sequence[Result]) -> str:
        from serab_core.report.run_tables import failure_text

        for failure in self.failures:
            if failure.extractor == name and task in (None, failure.task):
                return failure_text(failure)
        return Results._problem(self, name, task, matching)

    def __repr__(self) -> str:
        from serab_core.report.run_tables import print_run

        run = self.run
        if run is None:
            return Results.__repr__(self)

        def show(console: Console) -> None:
            print_run(console, run)

        return as_text(show)


def run_of(run: CoreRun, aliases: Mapping[str, str], home: str = "") -> Run:
    """Convert a run of the core into a `Run` of the Python interface."""
    from serab_core.score.seeds import seed_summary

    results = [Result(r, r.key in run.reused, seed_summary(r, run.seeds)) for r in run.results]
    order = {pair: place for place, pair in enumerate((name, task) for name in run.extractors for task in run.tasks)}
    results.sort(key=lambda result: order.get((result.extractor, result.task), len(order)))
    return Run(tuple(results), run.notices, home, aliases, run)


def load_results(
    home: str | os.PathLike[str] | None = None, *, extractor: str | None = None, protocol: str | None = None
) -> Results:
    """Load the results that are stored in a home.

    If one version of an extractor has several results on one task, the best known one is loaded, as in the leaderboard.
    Files that cannot be read are skipped, and named in `notices`.

    Args:
        home: the home; that of the settings by default.
        extractor: load only results of this extractor.
        protocol: load only results under this protocol.

    Examples:
        >>> run = serab.evaluate("chance", tasks=["demo"], progress=False)
        >>> serab.load_results(extractor="chance")["chance", "demo"].uar == run["chance", "demo"].uar
        True
    """
    from serab_core import plugins
    from serab_core.results.stored import valid_results
    from serab_core.score.seeds import seed_summary
    from serab_core.store.results import best_known

    with use_home(home) as used:
        stored, errors = valid_results(used)
        known = [entry.result for entry in stored]
        results = [Result(entry.result, True, seed_summary(entry.result, known)) for entry in best_known(stored)]
        name = plugins.canonical_name(extractor) if extractor else None
        aliases = {extractor: name} if extractor and name else {}
    results.sort(key=lambda result: (result.extractor, result.task, result.protocol))
    notices = tuple(f"Left out: {error}" for error in errors)
    return Results(tuple(results), notices, str(used.root) if home else "", aliases).filter(name, protocol=protocol)
