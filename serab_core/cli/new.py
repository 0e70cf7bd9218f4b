"""`serab new`: begins a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from serab_core.new.scaffold import Flavour, Kind

app = typer.Typer(
    no_args_is_help=True,
    help="Begin a plugin: a package with an example that works, its tests, a README and a workflow for CI.",
)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="What users will type, such as my-model.")]
_Folder = Annotated[Path, typer.Option("--folder", help="Where the package's folder goes; here by default.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


@app.command("extractor", help="Begin an extractor.")
def extractor_command(
    name: _Name,
    torch: Annotated[bool, typer.Option("--torch", help="A network in torch.")] = False,
    hear: Annotated[
        bool, typer.Option("--hear", help="A network in torch behind the HEAR API, and an adapter.")
    ] = False,
    folder: _Folder = Path(),
    as_json: _Json = False,
) -> None:
    """Begins an extractor."""
    if torch and hear:
        raise UsageError("--torch and --hear are two kinds of package", next_step="choose one; --hear is torch, too")
    _new("extractor", name, folder, as_json, "torch" if torch else "hear" if hear else "")


@app.command("dataset", help="Begin a dataset.")
def dataset_command(name: _Name, folder: _Folder = Path(), as_json: _Json = False) -> None:
    """Begins a dataset."""
    _new("dataset", name, folder, as_json)


@app.command("classifier", help="Begin a classifier.")
def classifier_command(name: _Name, folder: _Folder = Path(), as_json: _Json = False) -> None:
    """Begins a classifier."""
    _new("classifier", name, folder, as_json)


def _new(kind: Kind, name: str, folder: Path, as_json: bool, flavour: Flavour = "") -> None:
    from serab_core import __version__
    from serab_core.cli.output import print_json, stdout
    from serab_core.new.scaffold import scaffold

    made = scaffold(kind, name, folder, flavour=flavour, version=__version__)
    if as_json:
        print_json(made.as_json())
        return
    console = stdout()
    lines = [f"Wrote {made.folder}:", *(f"  {file}" for file in made.files), "Next:"]
    for line in [*lines, *(f"  {step}" for step in made.next_steps)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
