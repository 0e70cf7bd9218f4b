"""`serab export`: write a tuned classifier into files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serab_core.cli.csv_option import split_csv
from serab_core.cli.output import find_home, print_json, stderr, stdout
from serab_core.cli.parameters import AsJson, Extractor, Protocol, Task

HELP = (
    "Write the classifier that an evaluation chose into files.\n\n"
    "Arrays are stored as safetensors, other values as JSON. In Python, "
    "`serab_core.tune.exported.load_export(folder)` loads the classifier."
)


def export_command(
    extractor: Extractor,
    task: Task,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write. Default: X-TASK-CLASSIFIER.")
    ] = None,
    protocol: Protocol = None,
    classifier: Annotated[str | None, typer.Option("--classifier", help="Export this one, not the chosen one.")] = None,
    classifiers: Annotated[
        list[str] | None, typer.Option("--classifiers", "-c", help="The same value as in the evaluation.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export a classifier."""
    from dataclasses import asdict

    from serab_core.data.protocols import default_protocol, find_protocol
    from serab_core.results.export_classifier import export_chosen
    from serab_core.run.plan import make_plan
    from serab_core.tune.exported import PER_SPEAKER_NOTICE

    classifier_names = split_csv(classifiers)
    spec = find_protocol(protocol or default_protocol())
    home = find_home()
    plan = make_plan(home, [extractor], [task], spec, classifier_names)
    folder = output or Path(f"{extractor}-{task}-{classifier or 'chosen'}".replace("/", "--").replace(":", "--"))
    result, metadata = export_chosen(plan, folder, classifier)
    notices = [PER_SPEAKER_NOTICE] if metadata.normalisation == "speaker" else []
    if as_json:
        about = {"folder": str(folder), "about": asdict(metadata), "result": result.key, "notices": notices}
        print_json({"schema": "serab.export/1", **about})
        return
    point = ", ".join(f"{name} {value}" for name, value in metadata.params.items())
    stdout().print(
        f"{metadata.classifier} ({point}) for {metadata.extractor} on {metadata.task} is in {folder}", soft_wrap=True
    )
    for notice in notices:
        stderr().print(f"Caution: {notice}.", soft_wrap=True)
