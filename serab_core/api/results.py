"""Tables of results as objects: those of a run, and those that a home holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, overload

from serab_core.api.frames import as_text, data_frame
from serab_core.api.homes import use_home
from serab_core.api.result import COLUMNS, Result, results_html
from serab_core.errors import UsageError
from serab_core.types import ContinuousResult

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pandas
    from rich.console import Console

    from serab_core.api.boards import Leaderboard
    from serab_core.types import Failure, TaskResult
    from serab_core.types import Run as CoreRun

    Stored = TaskResult | ContinuousResult


@dataclass(frozen=True, slots=True, repr=False)
class Results:
    """Results, in a table.

    Look up one by extractor and task: `results["mfcc-stats", "emodb"]`; iterate over all of them.

    Attributes:
        results: the results.
        notices: what a reader must know of them, in sentences.
        home: the home they are of, for a leaderboard; "" for the one of the settings.
        aliases: the names that extractors were asked for by, and those that the results carry.
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

        Examples:
            >>> run = serab.evaluate(["chance", "mfcc-stats"], tasks=["demo"], progress=False)
            >>> run.to_dataframe().pivot(index="extractor", columns="metric", values="value").shape
            (2, 3)
        """
        return data_frame([row for own in self.results for row in own.rows()], COLUMNS)

    def leaderboard(
        self, suite: str = "serab", metric: Literal["accuracy", "uar"] | None = None, protocol: str | None = None
    ) -> Leaderboard:
        """Rank the extractors of these results by what the home holds.

        Args:
            suite: the tasks of the mean: `serab`, the nine of the paper.
            metric: what tables show, and extractors are ranked by; by default UAR under `strict`, else accuracy.
            protocol: that of these results by default.

        Raises:
            UsageError: there is no such suite, no result, or these results are of several protocols and none is named.
        """
        from serab_core.api.boards import load_leaderboard

        protocols = sorted({result.protocol for result in self.results})
        if protocol is None and len(protocols) > 1:
            raise UsageError(
                f"these results are of several protocols: {', '.join(protocols)}",
                next_step=f"say which: leaderboard(protocol={protocols[0]!r})",
            )
        protocol = protocol or next(iter(protocols), None)
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

    Examples:
        >>> run = serab.evaluate("chance", tasks=["demo"], progress=False)
        >>> serab.load_results(extractor="chance")["chance", "demo"].uar == run["chance", "demo"].uar
        True
    """
    from serab_core import plugins
    from serab_core.results.stored import valid_continuous, valid_results
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
