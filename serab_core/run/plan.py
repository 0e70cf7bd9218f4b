"""Planning of a run: names from the user become extractors, tasks and classifiers. Errors in names are raised here.

Planning reads and computes nothing else. `prepare_generated` prepares a synthetic corpus before the run is planned.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.data.prepared import load, prepared_names
from serab_core.data.protocols import REGRESSORS, SUITE
from serab_core.embed.corpus import known_state
from serab_core.embed.fingerprint import fingerprint, fingerprint_digest
from serab_core.errors import UnknownNameError, UsageError
from serab_core.plugins.entry_points import Group
from serab_core.run.changes import change_notices, code_changes
from serab_core.run.shard import RunShard
from serab_core.store.weights import require_weights
from serab_core.system.hints import command, option
from serab_core.types import ProtocolSpec, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.data.prepared import Prepared
    from serab_core.store.home import Home
    from serab_core.types import ClassifierSpec, DatasetSpec, ExtractorSpec, Progress

DEMO = "demo"  # the task of a run without prepared corpora


def prepare_generated(
    home: Home,
    extractors: Sequence[str],
    tasks: Sequence[str],
    progress: Progress,
    classifiers: Sequence[str] = (),
) -> None:
    """Prepare the corpora of a run that their plugins generate, such as `demo`, unless they are prepared.

    Args:
        home: the home.
        extractors, classifiers: names, whose errors are raised before a corpus is generated.
        tasks: names of tasks; empty for all prepared tasks, or `demo` if none is prepared. Nothing is generated if one
            of them must be prepared by the user, because planning then raises an error.
        progress: displays the preparation.

    Raises:
        UsageError: a name is given twice, or there is no extractor.
        UnknownNameError, PluginError: a name belongs to no working plugin.
        WeightsError: weights of an extractor are not installed.
        DataError, StoreError: a corpus cannot be prepared.
    """
    prepared = prepared_names(home)
    if not tasks and not any(_is_real(home, name) for name in prepared):
        tasks = (DEMO,)
    generated: dict[str, DatasetSpec] = {}
    for name in tasks:
        if name in prepared or name.partition("/")[0] in prepared:
            continue
        spec = _dataset(home, name)
        if spec.name not in prepared:
            if spec.generate is None:
                return
            generated[spec.name] = spec
    if not generated:
        return
    _require_distinct(extractors, tasks, classifiers)
    from serab_core.data.prepare import prepare  # imported here, because it imports audio and archive readers

    for extractor in map(plugins.extractor, extractors):
        require_weights(home, extractor.name, extractor.weights)
        _classifiers(classifiers or extractor.classifiers)
    for spec in generated.values():
        prepare(spec, [], home, progress)


@dataclass(frozen=True, slots=True)
class PlannedExtractor:
    """An extractor of a plan.

    Attributes:
        name: the name that the user gave.
        spec: the declaration of the extractor.
        fingerprint: digest of its fingerprint.
        classifiers: the classifiers that are searched on tasks with classes.
        regressors: the regressors that are searched on continuous targets.
    """

    name: str
    spec: ExtractorSpec
    fingerprint: str
    classifiers: tuple[ClassifierSpec, ...]
    regressors: tuple[ClassifierSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run.

    Attributes:
        missing: tasks of the suite that have no prepared corpus.
        notices: sentences on defaults that serab chose because the user did not.
        changes: sentences on what changed in an extractor since its last result, by the name that the user gave.
        profile: whether results store the time of each phase.
        fresh: whether stored work is deleted and computed again.
        shard: the run shard, which selects the evaluations of this run.
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
    variant: str = "",
) -> Plan:
    """Resolve every name and return the plan.

    Args:
        home: the home.
        extractors: names of extractors.
        tasks: names of tasks; empty for all prepared tasks, or `demo` if none is prepared.
        protocol: the protocol.
        classifiers: names of classifiers; empty for those of each extractor, or else those of the protocol.
        variant: the split variant of all tasks, by its name or its number of utterances; "" for that of the protocol.

    Raises:
        UsageError: a name is given twice, there is no extractor, or a task does not have the split variant.
        UnknownNameError, PluginError: a name belongs to no working plugin.
        WeightsError: weights of an extractor are not installed.
        NotPreparedError: a task is not prepared.
        StoreError: the home cannot be used.
    """
    _require_distinct(extractors, tasks, classifiers)
    planned = []
    for name in extractors:
        spec = plugins.extractor(name)
        require_weights(home, spec.name, spec.weights)
        specs = _classifiers(classifiers or spec.classifiers or protocol.classifiers)
        planned.append(PlannedExtractor(name, spec, fingerprint_digest(spec), specs))
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
    if variant:
        loaded = _variant_tasks(home, wanted, protocol, variant, notices)
    else:
        loaded = tuple(task for name in wanted for task in _tasks(home, name, protocol, notices))
    _require_distinct(extractors, [task.name for task in loaded], ())
    planned = [_searching(entry, loaded, bool(classifiers)) for entry in planned]
    changes = {
        entry.name: change_notices(home, entry.spec.name, fingerprint(entry.spec), entry.classifiers)
        for entry in planned
    }
    for entry in planned:
        for task in loaded:
            known_state(
                entry.spec, task.name.partition("/")[0]
            )  # raises an error for an unsuitable task before any work starts
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


def require_one_split(plan: Plan, missing: str) -> None:
    """Raise UsageError if the protocol of a plan has folds, which have a classifier and corpus statistics each.

    Args:
        plan: the plan.
        missing: what cannot be exported, such as `a classifier`.
    """
    if plan.protocol.has_folds:
        raise UsageError(
            f"protocol {plan.protocol.name} has several folds, and there is not {missing} for all of them",
            next_step=f"choose a protocol with one split: {option('protocol', 'strict')}",
        )


def _require_distinct(extractors: Sequence[str], tasks: Sequence[str], classifiers: Sequence[str]) -> None:
    """Raise UsageError for a name that is given twice, and for no extractor."""
    for kind, names in (("extractor", extractors), ("task", tasks), ("classifier", classifiers)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"{kind} {', '.join(twice)} is named twice", next_step="name each one once")
    if not extractors:
        raise UsageError("no extractor is named", next_step=f"name one, as in {command('eval', 'opensmile')}")


def _loaded(home: Home, name: str, notices: list[str], spec: DatasetSpec | None = None) -> Prepared:
    """Return a prepared corpus; add a notice if another version of its plugin prepared it."""
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
    names = [name for name in prepared_names(home) if _is_real(home, name)]
    if names:
        notices.append(f"Tasks: {', '.join(names)} (all prepared tasks; choose others with {option('tasks')}).")
        return tuple(names)
    notices.append(
        f"No corpus is prepared, so this run uses {DEMO}, a synthetic corpus; scores on it say nothing about real "
        f"speech. Prepare a corpus with {command('data prepare', 'NAME', 'PATH')} ({command('data list')} shows the "
        "names)."
    )
    return (DEMO,)


def _is_real(home: Home, name: str) -> bool:
    """Return whether a prepared corpus holds real speech."""
    return not load(home, name).index["synthetic"]


def _searching(entry: PlannedExtractor, tasks: Sequence[Task], asked: bool) -> PlannedExtractor:
    """Return the extractor with the classifiers and regressors that are searched on the tasks.

    Raises:
        UsageError: none of the classifiers that the user named predicts the targets of a task.
        UnknownNameError, PluginError: no installed plugin provides the regressors.
    """
    of = {kind: tuple(spec for spec in entry.classifiers if spec.kind == kind) for kind in ("classes", "continuous")}
    needed = {"continuous" if task.target else "classes" for task in tasks}
    for kind in sorted(needed):
        if asked and not of[kind]:
            name = next(task.name for task in tasks if bool(task.target) == (kind == "continuous"))
            target_kind = "classes" if kind == "classes" else "a continuous target"
            names = ", ".join(spec.name for spec in entry.classifiers)
            raise UsageError(
                f"none of {names} predicts {target_kind}, which {name} needs",
                next_step=f"name other classifiers with {option('classifiers')} ({command('list classifiers')} lists "
                "them), or leave it out",
            )
    regressors = of["continuous"] or (_classifiers(REGRESSORS) if "continuous" in needed else ())
    return replace(entry, classifiers=of["classes"], regressors=regressors)


def _tasks(home: Home, name: str, protocol: ProtocolSpec, notices: list[str]) -> list[Task]:
    """Return the tasks of a name: one task, or one for each continuous target."""
    base, _, suffix = name.partition("/")
    if suffix and name not in prepared_names(home) and base in prepared_names(home):
        prepared = _loaded(home, base, notices)
        known = {target for targets in prepared.continuous.values() for target in targets}
        targets = prepared.continuous.get(name) or ([suffix] if suffix in known else [])
        if targets:
            return [prepared.task(protocol, target) for target in targets]
        if prepared.is_variant(suffix):
            return [prepared.task(protocol, variant=suffix)]
    return [_corpus(home, name, notices).task(protocol)]


def _corpus(home: Home, name: str, notices: list[str]) -> Prepared:
    """Return the prepared corpus of a task. Raises NotPreparedError, UnknownNameError, PluginError."""
    if name in prepared_names(home):
        return _loaded(home, name, notices)
    spec = _dataset(home, name)
    return _loaded(home, spec.name, notices, spec)


def _variant_tasks(
    home: Home, names: Sequence[str], protocol: ProtocolSpec, variant: str, notices: list[str]
) -> tuple[Task, ...]:
    """Return each corpus as a task in one split variant.

    Raises:
        UsageError: a name is no corpus, but a continuous target or a split variant; or a corpus has no such variant.
    """
    suffixed = [name for name in names if "/" in name]
    if suffixed:
        raise UsageError(
            f"{', '.join(suffixed)} cannot be combined with a split variant",
            next_step="name the corpora alone, as in " + command("eval", "X", tasks="cafe", variant="without_neutral"),
        )
    corpora = {name: _corpus(home, name, notices) for name in names}
    chosen = {name: prepared.find_variant(variant) for name, prepared in corpora.items()}
    lacking = {name: corpora[name].variants for name in names if chosen[name] is None}
    if lacking:
        listed = "; ".join(
            f"{name} has {', '.join(f'{known} ({size} utterances)' for known, size in sizes.items())}"
            for name, sizes in lacking.items()
        )
        others = ", ".join(name for name in names if name not in lacking)
        step = f"name only {others} with {option('tasks')}, or another variant" if others else "choose another"
        raise UsageError(
            f"there is no split variant {variant!r} of {', '.join(lacking)}",
            next_step=f"{step}: {listed}",
            suggestions=difflib.get_close_matches(
                variant, {known for sizes in lacking.values() for known in sizes}, n=1
            ),
        )
    return tuple(prepared.task(protocol, variant=chosen[name] or "") for name, prepared in corpora.items())


def _dataset(home: Home, name: str) -> DatasetSpec:
    """Return the dataset of a task that is not prepared. Raises UnknownNameError, PluginError."""
    prepared = prepared_names(home)
    installed = plugins.registry().names(Group.DATASETS)
    if name.rpartition(":")[2].partition("/")[0] not in installed:
        near = difflib.get_close_matches(name, {*installed, *prepared}, n=3, cutoff=0.4)
        if not near and name in SUITE:
            raise UnknownNameError(
                f"task {name!r} is one of the nine tasks of SERAB, but no installed plugin can prepare it",
                next_step=f"{command('plugins', available=True)} lists the known plugins",
            )
        if near and name not in SUITE:
            raise UnknownNameError(
                f"no task is called {name!r}",
                next_step=f"{command('data list')} lists all tasks",
                suggestions=near,
            )
    return plugins.dataset(name)
