"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from serab_core.cli import complete

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Classifiers = Annotated[
    list[str] | None,
    typer.Option(
        "--classifiers",
        "-c",
        help="Classifiers, separated by commas. Default: those of the protocol.",
        autocompletion=complete.classifiers,
    ),
]
Copy = Annotated[bool, typer.Option("--copy", help="Copy all audio into the home, as 16 kHz FLAC.")]
Device = Annotated[
    str | None, typer.Option("--device", help="Device for extractors with this option: cpu, cuda or cuda:1.")
]
Extractor = Annotated[str, typer.Argument(metavar="X", help="The extractor.", autocompletion=complete.extractors)]
Extractors = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="X [Y ...]", help="Extractors; see: serab list extractors", autocompletion=complete.extractors
    ),
]
IncludedExtractors = Annotated[
    list[str] | None,
    typer.Argument(metavar="[X ...]", help="Extractors to include. Default: all.", autocompletion=complete.extractors),
]
IncludedTasks = Annotated[
    list[str] | None,
    typer.Option("--tasks", "-t", help="Tasks, separated by commas. Default: all.", autocompletion=complete.tasks),
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes. Default: one per core.")]
PreparedDataset = Annotated[str, typer.Argument(help="A prepared dataset.", autocompletion=complete.tasks)]
Protocol = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        "-p",
        help="serab, serab-released, strict, loso, repeated, folds or iemocap-5fold, with options as in loso+k=2 "
        "or serab+seed=43. "
        "Default: the protocol of the settings.",
        autocompletion=complete.protocols,
    ),
]
Task = Annotated[str, typer.Option("--task", "-t", help="The task.", autocompletion=complete.tasks)]
