"""`serab eval`: scores extractors on tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.csv_option import split_words

if TYPE_CHECKING:
    from serab_core.types import ContinuousResult, TaskResult

HELP = """Score one or several extractors.

Takes the tasks that are prepared, and a small synthetic corpus where none is. What was computed before is reused.
"""


def evaluate_command(
    extractors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="X [Y ...]",
            help="Extractors; see: serab list extractors",
            autocompletion=complete.extractors,
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks", "-t", help="Tasks, by commas; the prepared ones by default.", autocompletion=complete.tasks
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            "-p",
            help="serab, the default; serab-released; or strict.",
            autocompletion=complete.protocols,
        ),
    ] = None,
    classifiers: Annotated[
        list[str] | None,
        typer.Option(
            "--classifiers",
            "-c",
            help="Search only these, by commas; the protocol's by default.",
            autocompletion=complete.classifiers,
        ),
    ] = None,
    tuner: Annotated[
        str, typer.Option("--tuner", help="grid, the protocol's own; or tpe, a search of wider spaces.")
    ] = "grid",
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="With --tuner tpe: points for all classifiers of a task; 60.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", help="Of models that have several: a number, mean, or best on validation.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Of extractors that can choose: cpu, cuda or cuda:1.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="Where the work is done: local, or dask://HOST:PORT.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="Do one of several shares, such as 2/8; for job arrays.")
    ] = None,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Each extractor in a process of its own; see: serab plugins isolate.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes at a time; one a core by default.")
    ] = None,
    locked: Annotated[
        Path | None,
        typer.Option("--locked", help="Repeat the result in this file, and say what differs.", dir_okay=False),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Compute everything again, whatever is stored of these extractors and tasks."),
    ] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Keep with each result where its time went.")] = False,
    details: Annotated[bool, typer.Option("--details", help="Show every classifier, not only the chosen.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Scores extractors on tasks."""
    from serab_core import plugins, settings
    from serab_core.cli.output import print_json, show_tracebacks, stderr, stdout
    from serab_core.cli.reproduce import repeat_result
    from serab_core.data.protocols import default_protocol, find_protocol, with_tuner
    from serab_core.engine.executors import find_engine
    from serab_core.errors import JobsFailedError, UsageError
    from serab_core.report.documents import eval_document
    from serab_core.report.profile import print_profiles
    from serab_core.report.progress import progress_on
    from serab_core.report.tables import print_run
    from serab_core.run.evaluate import evaluate
    from serab_core.run.plan import make_plan
    from serab_core.run.shard import parse_run_shard
    from serab_core.store.home import find_home
    from serab_core.store.results import result_path
    from serab_core.system.session import change_session

    if isolate:
        change_session(isolate=True)
    if locked is not None:
        if extractors or tasks or protocol or classifiers:
            raise UsageError("--locked takes everything from the file", next_step="name the file alone")
        repeat_result(locked, _engine(engine), jobs, as_json=as_json)
        return
    errors = stderr()
    progress = progress_on(errors)
    home = find_home()
    made = with_tuner(find_protocol(protocol or default_protocol()), tuner, trials)
    run_shard = parse_run_shard(shard)
    where = find_engine(_engine(engine), jobs)
    named = extractors or []
    words, more = _split_names(named) if tasks else (named, [])
    names = plugins.add_options(words, {"layer": layer, "device": device})
    asked = [*split_words(tasks), *more] or settings.value_list("tasks")
    plan = make_plan(home, names, asked, made, split_words(classifiers), progress)
    run = evaluate(replace(plan, profile=profile, fresh=fresh, shard=run_shard), progress, where)
    if as_json:
        scored: list[TaskResult | ContinuousResult] = [*run.results, *run.continuous]
        files = {r.key: result_path(home, r.extractor, r.task, r.protocol, r.key) for r in scored}
        print_json(eval_document(run, files))
    else:
        print_run(stdout(), run, details=details)
        if profile:
            print_profiles(stdout(), [*run.results, *run.continuous])
    for failure in run.failures:
        if show_tracebacks.get() and "traceback" in failure.error:
            errors.print(failure.error["traceback"], markup=False, highlight=False, style="dim", soft_wrap=True)
    if run.failures:
        raise typer.Exit(JobsFailedError.exit_code)


def _split_names(words: list[str]) -> tuple[list[str], list[str]]:
    """Extractors, and tasks: `--tasks emodb demo` is what people type, and a shell hands `demo` to the extractors."""
    from serab_registry import Group

    from serab_core import plugins
    from serab_core.data.prepared import prepared_names
    from serab_core.store.home import find_home

    known = {*plugins.registry().names(Group.DATASETS), *prepared_names(find_home())}
    extractors = plugins.extractor_names()
    more = [word for word in words if word.partition("/")[0] in known and word.partition("/")[0] not in extractors]
    return [word for word in words if word not in more], more


def _engine(option: str | None) -> str:
    """Return the engine's name; of a scheduler, print who named it, for it can run code here."""
    from serab_core import settings
    from serab_core.cli.output import stderr

    setting = settings.in_force()["engine"]
    name = option or str(setting.value or "local")
    if name.startswith("dask://"):
        origin = "--engine" if option else setting.origin
        text = f"Engine: {name}, named by {origin}; it and this process run each other's code."
        stderr().print(text, markup=False, highlight=False, soft_wrap=True)
    return name
