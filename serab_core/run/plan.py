"""From the words of a command to what has to be done. Everything that can be wrong with the words comes out here."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from serab_registry import Group

from serab_core import plugins
from serab_core.data.prepared import load, prepared_names
from serab_core.data.protocols import REGRESSORS, SUITE
from serab_core.embed.corpus import known_state
from serab_core.embed.fingerprint import fingerprint, fingerprint_digest
from serab_core.errors import UnknownNameError, UsageError
from serab_core.run.changes import change_notices, code_changes
from serab_core.run.shard import RunShard
from serab_core.store.weights import require_weights
from serab_core.types import ProtocolSpec, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.data.prepared import Prepared
    from serab_core.store.home import Home
    from serab_core.types import ClassifierSpec, DatasetSpec, ExtractorSpec, Progress

DEMO = "demo"


@dataclass(frozen=True, slots=True)
class PlannedExtractor:
    """An extractor as it was asked for.

    Attributes:
        spec, fingerprint: what it is, and its fingerprint's digest.
        classifiers: those that are searched on tasks of classes.
        regressors: those that are searched on continuous targets.
    """

    name: str
    spec: ExtractorSpec
    fingerprint: str
    classifiers: tuple[ClassifierSpec, ...]
    regressors: tuple[ClassifierSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        missing: tasks of the suite that have no prepared corpus.
        notices: what was decided in the user's stead.
        changes: what changed of an extractor since its last result, by its name as it was asked for.
        profile: results say where their time went.
        fresh: what is stored for the pairs is computed again.
        shard: of the pairs of extractors and tasks, the ones that this run does.
    """

    home: Home
    protocol: ProtocolSpec
    extractors: tuple[PlannedExtractor, ...]
    tasks: tuple[Task, ...]
    missing: tuple[str, ...]
    notices: tuple[str, ...]
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profile: bool = False
    fresh: bool = False
    shard: RunShard = field(default_factory=RunShard)


def make_plan(
    home: Home,
    extractors: Sequence[str],
    tasks: Sequence[str],
    protocol: ProtocolSpec,
    classifiers: Sequence[str],
    progress: Progress,
) -> Plan:
    """Resolves every name.

    Args:
        home: the home.
        extractors: names of extractors.
        tasks: names of tasks; empty for those that are prepared, or `demo` where none is.
        protocol: the protocol.
        classifiers: names; empty for an extractor's own, or else the protocol's.
        progress: told of the preparing of `demo`.

    Raises:
        UsageError: a name is given twice, or none.
        UnknownNameError, PluginError: a name leads to no working plugin.
        WeightsError: an extractor's weights are not there.
        NotPreparedError: a task that was asked for is not prepared.
        StoreError: the home cannot be used.
    """
    for kind, names in (("extractor", extractors), ("task", tasks), ("classifier", classifiers)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"{kind} {', '.join(twice)} is named twice", next_step="name each once")
    if not extractors:
        raise UsageError("no extractor is named", next_step="try: serab eval opensmile")
    planned = []
    for name in extractors:
        spec = plugins.extractor(name)
        require_weights(home, spec.name, spec.weights)
        own = _classifiers(classifiers or spec.classifiers or protocol.classifiers)
        planned.append(PlannedExtractor(name, spec, fingerprint_digest(spec), own))
    by_spec = {entry.fingerprint: entry.name for entry in planned}
    for entry in planned:
        if by_spec[entry.fingerprint] != entry.name:
            raise UsageError(
                f"{entry.name} and {by_spec[entry.fingerprint]} are the same extractor", next_step="name one of them"
            )
    notices: list[str] = []
    if classifiers and set(classifiers) != set(protocol.classifiers):
        notices.append(
            f"Classifiers searched: {', '.join(spec.name for spec in planned[0].classifiers)}; "
            f"protocol {protocol.name} has {', '.join(protocol.classifiers)}."
        )
    home.ensure()
    wanted = tuple(tasks) or _default_tasks(home, notices)
    loaded = tuple(task for name in wanted for task in _tasks(home, name, protocol, progress, notices))
    planned = [_searching(entry, loaded, bool(classifiers)) for entry in planned]
    changes = {
        entry.name: change_notices(home, entry.spec.name, fingerprint(entry.spec), entry.classifiers)
        for entry in planned
    }
    for entry in planned:
        for task in loaded:
            known_state(entry.spec, task.name)  # what does not fit is told before anything is done
    for entry in planned:
        if entry.spec.preflight is not None:
            entry.spec.preflight()
    prepared = set(prepared_names(home))
    return Plan(
        home=home,
        protocol=protocol,
        extractors=tuple(planned),
        tasks=loaded,
        missing=tuple(name for name in SUITE if name not in prepared),
        notices=tuple(notices),
        changes={name: tuple(texts) for name, texts in changes.items() if texts},
    )


def _loaded(home: Home, name: str, notices: list[str], spec: DatasetSpec | None = None) -> Prepared:
    """A prepared corpus. Where another version of its plugin prepared it, that is noted."""
    prepared = load(home, name, spec)
    before, now = prepared.index.get("plugin"), plugins.dataset_code(name)
    if before and now and before != now:
        changed = ", and ".join(code_changes(before, now))
        text = f"{name} was prepared before {changed}: if its labels or splits changed, prepare it again."
        notices += [] if text in notices else [text]
    return prepared


def _classifiers(names: Sequence[str]) -> tuple[ClassifierSpec, ...]:
    return tuple(sorted((plugins.classifier(name) for name in names), key=lambda spec: spec.order))


def _default_tasks(home: Home, notices: list[str]) -> tuple[str, ...]:
    names = [name for name in prepared_names(home) if not load(home, name).index["synthetic"]]
    if names:
        notices.append(f"Tasks: {', '.join(names)} (those that are prepared; --tasks chooses).")
        return tuple(names)
    notices.append(
        f"No corpus is prepared, so this runs on {DEMO}, a synthetic one that says nothing about real speech. "
        "Prepare one that you have with: serab data prepare NAME PATH (serab data list shows the names)."
    )
    return (DEMO,)


def _searching(entry: PlannedExtractor, tasks: Sequence[Task], asked: bool) -> PlannedExtractor:
    """The extractor with what is searched on each kind of task.

    Raises:
        UsageError: what the user named predicts nothing of a task's kind.
        UnknownNameError, PluginError: no plugin brings a regressor.
    """
    of = {kind: tuple(spec for spec in entry.classifiers if spec.kind == kind) for kind in ("classes", "continuous")}
    needed = {"continuous" if task.target else "classes" for task in tasks}
    for kind in sorted(needed):
        if asked and not of[kind]:
            name = next(task.name for task in tasks if bool(task.target) == (kind == "continuous"))
            words = "classes" if kind == "classes" else "a continuous target"
            raise UsageError(
                f"none of {', '.join(spec.name for spec in entry.classifiers)} predicts {words}, which {name} asks for",
                next_step="name others with --classifiers (serab list classifiers), or none",
            )
    regressors = of["continuous"] or (_classifiers(REGRESSORS) if "continuous" in needed else ())
    return replace(entry, classifiers=of["classes"], regressors=regressors)


def _tasks(home: Home, name: str, protocol: ProtocolSpec, progress: Progress, notices: list[str]) -> list[Task]:
    """What a name stands for: one task, or one for each continuous target."""
    base, _, suffix = name.partition("/")
    if suffix and name not in prepared_names(home) and base in prepared_names(home):
        prepared = _loaded(home, base, notices)
        known = {target for targets in prepared.continuous.values() for target in targets}
        targets = prepared.continuous.get(name) or ([suffix] if suffix in known else [])
        if targets:
            return [prepared.task(protocol, target) for target in targets]
    return [_task(home, name, protocol, progress, notices)]


def _task(home: Home, name: str, protocol: ProtocolSpec, progress: Progress, notices: list[str]) -> Task:
    prepared = prepared_names(home)
    if name in prepared:
        return _loaded(home, name, notices).task(protocol)
    installed = plugins.registry().names(Group.DATASETS)
    if name.rpartition(":")[2].partition("/")[0] not in installed:
        near = difflib.get_close_matches(name, {*installed, *prepared}, n=3, cutoff=0.4)
        if not near and name in SUITE:
            raise UnknownNameError(
                f"task {name!r} is one of SERAB's nine, but no installed plugin prepares it yet",
                next_step="`serab plugins --available` shows the known plugins",
            )
        if near and name not in SUITE:
            raise UnknownNameError(
                f"no task is called {name!r}",
                next_step=f"nearest: {', '.join(near)}; `serab data list` shows all of them",
            )
    spec = plugins.dataset(name)
    if spec.generate is not None:
        from serab_core.data.prepare import prepare  # here, for it imports the readers of audio and archives

        return prepare(spec, [], home, progress).task(protocol)
    return _loaded(home, spec.name, notices, spec).task(protocol)
