"""`serab eval`: score extractors on tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.csv_option import split_csv
from serab_core.cli.output import find_home, print_json, show_progress, show_tracebacks, stderr, stdout
from serab_core.cli.parameters import AsJson, Classifiers, Device, Extractors, Jobs, Protocol
from serab_core.errors import JobsFailedError, UsageError

HELP = (
    "Score one or several extractors.\n\n"
    "Without --tasks, it uses all prepared tasks, or a small synthetic corpus if none is prepared. Results and "
    "embeddings of earlier runs are reused."
)


_Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--tasks",
        "-t",
        help="Tasks, separated by commas. Default: all prepared tasks.",
        autocompletion=complete.tasks,
    ),
]
_Variant = Annotated[
    str | None,
    typer.Option(
        "--variant",
        help="Another split variant of the tasks, by its name or its number of utterances: 864 of cafe.",
    ),
]
_Tuner = Annotated[
    str, typer.Option("--tuner", help="grid, the grids of the protocol; or tpe, a search of wider spaces.")
]
_Trials = Annotated[
    int | None,
    typer.Option("--trials", min=1, help="With --tuner tpe: trials for all classifiers of a task. Default: 60."),
]
_Layer = Annotated[
    str | None, typer.Option("--layer", help="Layer of models with several: a number, mean, or best on validation.")
]
_Engine = Annotated[
    str | None,
    typer.Option("--engine", help="Where jobs run: local, or dask://HOST:PORT. Default: that of the settings."),
]
_Shard = Annotated[
    str | None, typer.Option("--shard", help="Run one of several run shards, such as 2/8; for job arrays.")
]
_Isolate = Annotated[
    bool, typer.Option("--isolate", help="Run each extractor in a separate process; see: serab plugins isolate.")
]
_Reproduce = Annotated[
    Path | None,
    typer.Option("--reproduce", help="Reproduce the result in this file, and list the differences.", dir_okay=False),
]
_Locked = Annotated[Path | None, typer.Option("--locked", hidden=True, dir_okay=False)]
_Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh", help="Compute everything again, and replace what is stored for these extractors and tasks."
    ),
]
_Profile = Annotated[bool, typer.Option("--profile", help="Store with each result the time that each phase took.")]
_Details = Annotated[
    bool, typer.Option("--details", help="Show every classifier, and by which margin the chosen one was chosen.")
]
_Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of the classifiers and the search. Default: 42.")
]
_Seeds = Annotated[
    int | None,
    typer.Option(
        "--seeds", min=1, help="Also evaluate under further seeds, up to this number in all, and show the range."
    ),
]


def evaluate_command(
    extractors: Extractors = None,
    tasks: _Tasks = None,
    protocol: Protocol = None,
    variant: _Variant = None,
    classifiers: Classifiers = None,
    tuner: _Tuner = "grid",
    trials: _Trials = None,
    layer: _Layer = None,
    device: Device = None,
    engine: _Engine = None,
    shard: _Shard = None,
    isolate: _Isolate = False,
    jobs: Jobs = None,
    reproduce: _Reproduce = None,
    locked: _Locked = None,
    fresh: _Fresh = False,
    profile: _Profile = False,
    details: _Details = False,
    seed: _Seed = None,
    seeds: _Seeds = None,
    as_json: AsJson = False,
) -> None:
    """Score extractors on tasks."""
    from serab_core import plugins
    from serab_core.cli.reproduce import repeat_result
    from serab_core.data.protocols import default_protocol, find_protocol, with_tuner
    from serab_core.engine.executors import find_engine
    from serab_core.report.documents import eval_document
    from serab_core.report.profile import print_profiles
    from serab_core.report.run_tables import print_run
    from serab_core.results.stored import with_stored_seeds
    from serab_core.run.evaluate import evaluate
    from serab_core.run.plan import make_plan, prepare_generated
    from serab_core.run.seeds import evaluate_seeds, protocol_with_seed, require_seeds
    from serab_core.run.shard import parse_run_shard
    from serab_core.settings import current_settings
    from serab_core.store.results import result_path
    from serab_core.system.session import change_session

    if isolate:
        change_session(isolate=True)
    reproduce = reproduce or locked  # the name in version 0.1
    if reproduce is not None:
        if extractors or tasks or protocol or variant or classifiers:
            raise UsageError("--reproduce takes everything from the file", next_step="name the file alone")
        repeat_result(reproduce, _engine(engine), jobs, as_json=as_json)
        return
    errors = stderr()
    progress = show_progress()
    home = find_home()
    spec = protocol_with_seed(with_tuner(find_protocol(protocol or default_protocol()), tuner, trials), seed)
    require_seeds(seeds, spec, fresh=fresh)
    run_shard = parse_run_shard(shard)
    where = find_engine(_engine(engine), jobs)
    named = extractors or []
    extractor_names, task_names = _split_names(named) if tasks else (named, [])
    names = plugins.add_options(extractor_names, {"layer": layer, "device": device})
    asked = [*split_csv(tasks), *task_names] or list(current_settings().tasks)
    classifier_names = split_csv(classifiers)
    prepare_generated(home, names, asked, progress, classifier_names)
    plan = make_plan(home, names, asked, spec, classifier_names, variant or "")
    plan = replace(plan, profile=profile, fresh=fresh, shard=run_shard)
    run = evaluate(plan, progress, where)
    run = evaluate_seeds(plan, run, seeds, progress, where) if seeds else with_stored_seeds(home, run)
    if as_json:
        files = {r.key: result_path(home, r.extractor, r.task, r.protocol, r.key) for r in run.results}
        print_json(eval_document(run, files))
    else:
        print_run(stdout(), run, details=details)
        if profile:
            print_profiles(stdout(), run.results)
    for failure in run.failures:
        if show_tracebacks.get() and "traceback" in failure.error:
            errors.print(failure.error["traceback"], style="dim", soft_wrap=True)
    if run.failures:
        raise typer.Exit(JobsFailedError.exit_code)


def _split_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Split names into extractors and tasks: of `--tasks emodb demo`, the parser counts `demo` as an extractor."""
    from serab_core import plugins
    from serab_core.data.prepared import prepared_names
    from serab_core.plugins.entry_points import Group

    known = {*plugins.registry().names(Group.DATASETS), *prepared_names(find_home())}
    extractors = plugins.extractor_names()
    tasks = [name for name in names if name.partition("/")[0] in known and name.partition("/")[0] not in extractors]
    return [name for name in names if name not in tasks], tasks


def _engine(option: str | None) -> str:
    """Return the name of the engine; for a scheduler, which can run code here, print who named it."""
    from serab_core import settings

    name = option or settings.current_settings().engine
    if name.startswith("dask://"):
        origin = "--engine" if option else settings.assigned_values()["engine"][1]
        text = f"Engine: {name}, named by {origin}; it and this process run each other's code."
        stderr().print(text, soft_wrap=True)
    return name
