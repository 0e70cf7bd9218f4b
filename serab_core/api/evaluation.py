"""`serab.evaluate`: score extractors on tasks."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.api.homes import use_home
from serab_core.api.objects import LocalExtractor, sort_extractors
from serab_core.api.results import Run, run_of
from serab_core.data.protocols import find_protocol, with_tuner
from serab_core.embed.embedder import forget_extractors
from serab_core.engine.executors import LocalEngine, find_engine
from serab_core.errors import JobsFailedError
from serab_core.report.progress import Silent, progress_on
from serab_core.results.reproduce import scratch_home
from serab_core.results.stored import with_stored_seeds
from serab_core.run.evaluate import evaluate as run_plan
from serab_core.run.plan import make_plan, prepare_generated
from serab_core.run.seeds import evaluate_seeds, protocol_with_seed, require_seeds
from serab_core.settings import current_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from serab_core.engine.executors import Engine
    from serab_core.store.home import Home
    from serab_core.types import Progress, ProtocolSpec
    from serab_core.types import Run as CoreRun


class EvaluationError(JobsFailedError):
    """Part of an evaluation failed. The results that were computed are stored, and are in `run`.

    Attributes:
        run: the run, with its results and, in `failures`, the evaluations that failed.
    """

    run: Run


def evaluate(
    extractors: object,
    tasks: str | Sequence[str] | None = None,
    *,
    protocol: str | None = None,
    variant: str | None = None,
    classifiers: str | Sequence[str] | None = None,
    tuner: Literal["grid", "tpe"] = "grid",
    trials: int | None = None,
    seed: int | None = None,
    seeds: int | None = None,
    jobs: int = 1,
    engine: str | None = None,
    home: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    cache_key: str | Mapping[str, str] | None = None,
    progress: bool = True,
    raise_errors: bool = True,
) -> Run:
    """Score extractors on tasks. Results and embeddings of earlier runs are reused.

    Args:
        extractors: names of installed extractors (`serab.extractors()` lists them), `ExtractorSpec`s, or objects with
            `embed(waveforms)` and `sample_rate` in Hz; a single one, a list, or a mapping from names to objects.
            `embed` gets a list of float32 arrays, mono, at that rate, and returns shape (number of waveforms, dim).
        tasks: names of prepared tasks; by default all prepared tasks, or a small synthetic corpus if none is prepared.
        protocol: `serab`, `serab-released` or `strict`; that of the settings by default.
        variant: another split variant of the tasks, by its name or its number of utterances, such as `864` of `cafe`;
            that of the protocol by default. Its results are those of a task of its own, `cafe/without_neutral`.
        classifiers: names of classifiers; those of the protocol by default.
        tuner: `grid` for the grids of the protocol, `tpe` for a search of wider spaces.
        trials: with `tpe`, the number of trials for all classifiers of a task; 60 by default.
        seed: the seed of the classifiers and the search, 42 by default. Results under another seed are stored under a
            protocol of their own, such as `serab+seed=43`.
        seeds: also evaluate under further seeds from 43 on, up to this number of seeds in all. `result.seeds` then has
            the range of the scores. Classifiers that do not depend on the seed are not tuned again.
        jobs: worker processes. With 1, everything runs in this process. With more, a script needs
            `if __name__ == "__main__":` around the call only if a plugin starts processes itself.
        engine: `local`, or `dask://HOST:PORT`; that of the settings by default.
        home: the folder for corpora, embeddings and results; that of the settings by default.
        fresh: compute everything again.
        cache_key: the key under which embeddings and results of an object are stored, such as "my-model-epoch-12";
            for several objects a mapping from names to keys. Serab cannot detect a change of an object: use a new key
            whenever its embeddings change. Without a key, nothing of the object is stored.
        progress: show progress on stderr.
        raise_errors: raise an error if an evaluation fails; otherwise failed evaluations are in `failures` of the run.

    Returns:
        The run: `run["mfcc-stats", "emodb"].uar`, `run.to_dataframe()`.

    Raises:
        EvaluationError: an extractor failed on a task; `error.run` has the results of the others.
        SerabError: a name is unknown, a corpus is not prepared, weights are missing, or the home cannot be written.

    Examples:
        >>> import numpy as np
        >>> class Loudness:
        ...     sample_rate = 16000
        ...     def embed(self, waveforms):
        ...         return np.array([[w.std(), np.abs(w).max()] for w in waveforms])
        >>> run = serab.evaluate([Loudness(), "chance"], tasks=["demo"], progress=False)
        >>> [result.extractor for result in run]
        ['Loudness', 'chance']
    """
    used, names = sort_extractors(extractors, cache_key)
    shown = show_progress() if progress else Silent()
    with use_home(home) as root:
        defaults = current_settings()
        spec = protocol_with_seed(with_tuner(find_protocol(protocol or defaults.protocol), tuner, trials), seed)
        require_seeds(seeds, spec, fresh=fresh)
        where = find_engine(engine or defaults.engine, jobs)
        task_names = _as_list(tasks) or list(defaults.tasks)
        call = _Call(root, task_names, spec, _as_list(classifiers), shown, fresh, variant or "", seeds)
        groups = _groups(used)
        runs = [call.run([used[place] for place in group], where) for group in groups]
    merged = _merged(runs, groups)
    aliases = {name: canonical for name, canonical in zip(names, merged.extractors, strict=True) if name != canonical}
    merged = replace(merged, notices=(*merged.notices, *_unstored_notices(used)))
    run = run_of(merged, aliases, str(root.root) if home else "")
    if run.failures and raise_errors:
        from serab_core.report.run_tables import failure_text

        error = EvaluationError(
            "; ".join(failure_text(failure).removesuffix(".") for failure in run.failures),
            next_step="the results of the others are stored, and are in the attribute run of this error",
        )
        error.run = run
        raise error
    return run


def _unstored_notices(used: Sequence[str | LocalExtractor]) -> list[str]:
    """Return a notice for each object without a cache key."""
    local = [extractor for extractor in used if isinstance(extractor, LocalExtractor)]
    unstored = [extractor.spec.name for extractor in local if not extractor.cache_key]
    return [f"{name} is an object without a cache_key: nothing of it was stored." for name in unstored]


class _Call:
    """The arguments that all extractors of one call share."""

    def __init__(
        self,
        home: Home,
        tasks: Sequence[str],
        protocol: ProtocolSpec,
        classifiers: Sequence[str],
        progress: Progress,
        fresh: bool,
        variant: str,
        seeds: int | None,
    ) -> None:
        self._home, self._tasks, self._protocol = home, tasks, protocol
        self._classifiers, self._progress, self._fresh = classifiers, progress, fresh
        self._variant, self._seeds = variant, seeds

    def run(self, extractors: Sequence[str | LocalExtractor], engine: Engine) -> CoreRun:
        """Evaluate extractors of one kind: installed extractors, objects with keys, or objects without keys."""
        local = [extractor for extractor in extractors if isinstance(extractor, LocalExtractor)]
        if not local:
            return self._evaluate(self._home, [str(name) for name in extractors], engine)
        specs = {extractor.spec.name: extractor.spec for extractor in local}
        forget_extractors()  # extractors of an earlier call may have the same names
        try:
            with plugins.local_extractors(specs):
                if all(extractor.cache_key for extractor in local):
                    return self._evaluate(self._home, list(specs), LocalEngine(1))
                with scratch_home(self._home) as scratch:
                    return self._evaluate(scratch, list(specs), LocalEngine(1))
        finally:
            forget_extractors()

    def _evaluate(self, home: Home, names: Sequence[str], engine: Engine) -> CoreRun:
        prepare_generated(home, names, self._tasks, self._progress, self._classifiers)
        plan = make_plan(home, names, self._tasks, self._protocol, self._classifiers, self._variant)
        plan = replace(plan, fresh=self._fresh)
        run = run_plan(plan, self._progress, engine)
        if self._seeds:
            return evaluate_seeds(plan, run, self._seeds, self._progress, engine)
        return with_stored_seeds(home, run)


def _groups(used: Sequence[str | LocalExtractor]) -> list[list[int]]:
    """Return the positions of extractors that are evaluated together: installed, objects with keys, objects without."""
    groups: dict[tuple[bool, bool], list[int]] = {}
    for place, extractor in enumerate(used):
        kind = (True, bool(extractor.cache_key)) if isinstance(extractor, LocalExtractor) else (False, True)
        groups.setdefault(kind, []).append(place)
    return list(groups.values()) or [[]]  # no extractor is an error, which planning raises


def _merged(runs: Sequence[CoreRun], groups: Sequence[Sequence[int]]) -> CoreRun:
    """Merge runs into one, with the extractors in the order of the call."""
    names = {
        place: name
        for run, group in zip(runs, groups, strict=True)
        for place, name in zip(group, run.extractors, strict=True)
    }
    return replace(
        runs[0],
        extractors=tuple(names[place] for place in sorted(names)),
        results=tuple(result for run in runs for result in run.results),
        failures=tuple(failure for run in runs for failure in run.failures),
        seeds=tuple(result for run in runs for result in run.seeds),
        reused=frozenset[str]().union(*(run.reused for run in runs)),
        notices=tuple(dict.fromkeys(notice for run in runs for notice in run.notices)),
    )


def _as_list(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def show_progress() -> Progress:
    """Return the progress display for stderr."""
    from serab_core.report.console import SafeConsole

    return progress_on(SafeConsole(file=sys.stderr))
