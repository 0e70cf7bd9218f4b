"""`serab new`: create the package of a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli.output import print_json, stdout
from serab_core.cli.parameters import AsJson
from serab_core.errors import UsageError

if TYPE_CHECKING:
    from serab_core.new.scaffold import Flavour, Kind

app = typer.Typer(
    no_args_is_help=True,
    help="Create a plugin package with a working example, tests, a README and a CI workflow.",
)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The public name, which users will type, such as my-model.")]
_Folder = Annotated[
    Path, typer.Option("--folder", help="The parent folder of the package. Default: the working folder.")
]


@app.command("extractor", help="Create an extractor.")
def extractor_command(
    name: _Name,
    torch: Annotated[bool, typer.Option("--torch", help="Use a torch network.")] = False,
    hear: Annotated[
        bool, typer.Option("--hear", help="Use a torch network with the HEAR API, and an adapter.")
    ] = False,
    folder: _Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Create an extractor."""
    if torch and hear:
        raise UsageError("--torch and --hear exclude each other", next_step="choose one; --hear also uses torch")
    _new("extractor", name, folder, as_json, "torch" if torch else "hear" if hear else "")


@app.command("dataset", help="Create a dataset.")
def dataset_command(name: _Name, folder: _Folder = Path(), as_json: AsJson = False) -> None:
    """Create a dataset."""
    _new("dataset", name, folder, as_json)


@app.command("classifier", help="Create a classifier.")
def classifier_command(name: _Name, folder: _Folder = Path(), as_json: AsJson = False) -> None:
    """Create a classifier."""
    _new("classifier", name, folder, as_json)


def _new(kind: Kind, name: str, folder: Path, as_json: bool, flavour: Flavour = "") -> None:
    from serab_core import __version__
    from serab_core.new.scaffold import scaffold

    package = scaffold(kind, name, folder, flavour=flavour, version=__version__)
    if as_json:
        print_json(package.as_json())
        return
    console = stdout()
    lines = [f"Wrote {package.folder}:", *(f"  {file}" for file in package.files), "Next:"]
    for line in [*lines, *(f"  {step}" for step in package.next_steps)]:
        console.print(line, soft_wrap=True)
