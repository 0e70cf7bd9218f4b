"""`serab weights`: the files that extractors load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli import complete

if TYPE_CHECKING:
    from serab_core.store.home import Home
    from serab_core.types import ExtractorSpec, WeightFile

app = typer.Typer(no_args_is_help=True, help="Bring in the weights that extractors need, and see what is there.")
_Accept = Annotated[
    bool, typer.Option("--accept-licence", help="Agree to the file's terms without being asked; they are shown.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


@app.command("list", help="Show which weights the installed extractors need, and which are there.")
def list_command(as_json: _Json = False) -> None:
    """Shows weights."""
    from serab_registry import Group

    from serab_core import plugins
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.tables import table
    from serab_core.store.home import find_home

    home = find_home()
    rows = [_row(home, spec, w) for spec in plugins.all_specs(Group.EXTRACTORS).values() for w in spec.weights]
    if as_json:
        print_json({"schema": "serab.weights-list/1", "home": str(home.weights), "weights": rows})
        return
    made = table("Extractor", "Here", "Bytes", "sha256", "Licence", right=["Bytes"])
    for row in rows:
        size, sha256 = row["size"], row["sha256"]
        made.add_row(
            row["extractor"],
            "yes" if row["installed"] else "-",
            f"{size:,}" if size else "-",
            f"{sha256[:12]}…" if sha256 else "-",
            row["licence"],
        )
    stdout().print(made)
    for row in rows:
        stdout().print(f"{row['extractor']}: {row['url']}", markup=False, highlight=False, soft_wrap=True)
    stdout().print(f"They are kept in {home.weights}", markup=False, highlight=False, soft_wrap=True)


@app.command("import", help="Take in a weight file that you downloaded.")
def import_command(
    extractor: Annotated[
        str, typer.Argument(metavar="X", help="The extractor, such as byol-s/512.", autocompletion=complete.extractors)
    ],
    file: Annotated[Path, typer.Argument(help="The published file, or a SavedModel's folder.")],
    accept: _Accept = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take another file than the one recorded before.")] = False,
    as_json: _Json = False,
) -> None:
    """Takes in a file."""
    from serab_core import plugins
    from serab_core.errors import WeightsError
    from serab_core.store.home import find_home
    from serab_core.store.weights import import_weights

    home = find_home().ensure()
    spec = plugins.extractor(extractor)
    weight = _weight_for(spec, file)
    if not file.is_file() and not (weight.folder and file.is_dir()):
        raise WeightsError("is no file", where=str(file), next_step="check the path")
    _agree(home, weight, accept)
    import_weights(home, weight, file, str(file.absolute()), replace=replace)
    _tell(home, spec, weight, as_json, pinned=weight.sha256 is not None)


@app.command("fetch", help="Download the weights of extractors. What is there already is left alone.")
def fetch_command(
    extractors: Annotated[
        list[str],
        typer.Argument(metavar="X [Y ...]", help="Extractors, such as byol-s/512.", autocompletion=complete.extractors),
    ],
    accept: _Accept = False,
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", help="The checksum of a file whose plugin states none.")
    ] = "",
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Keep a file without a checksum: you trust what its address sends.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Downloads files."""
    from dataclasses import replace

    from serab_core import plugins
    from serab_core.cli.output import stderr
    from serab_core.errors import UsageError
    from serab_core.report.progress import progress_on
    from serab_core.store.fetch import fetch
    from serab_core.store.home import find_home
    from serab_core.store.weights import import_weights, weight_record

    home = find_home().ensure()
    specs = [plugins.extractor(name) for name in extractors]
    _check_sha256(sha256, [weight for spec in specs for weight in spec.weights])
    for spec in specs:
        if not spec.weights:
            raise UsageError("needs no weights", where=spec.name, next_step="leave it out")
        for weight in spec.weights:
            if weight_record(home, weight) is None:
                _agree(home, weight, accept)
                checked = replace(weight, sha256=weight.sha256 or sha256.lower() or None)
                file = fetch(home, spec.name, checked, progress_on(stderr()))
                if checked.sha256 is None:
                    _require_word(spec, weight, file, unverified)
                import_weights(home, checked, file, weight.url)
                file.unlink(missing_ok=True)
            _tell(home, spec, weight, as_json, pinned=weight.sha256 is not None)


def _check_sha256(sha256: str, weights: list[WeightFile]) -> None:
    """Check the option: it is a sha256, and there is one file that it can be of. Raises UsageError."""
    import re

    from serab_core.errors import UsageError

    if not sha256:
        return
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", sha256):
        raise UsageError("--sha256 is no sha256", next_step="give its 64 hexadecimal digits")
    without = [weight.name for weight in weights if weight.sha256 is None]
    if len(without) != 1:
        text = f"{len(without)} of the files have none" if without else "its plugin states the checksum already"
        raise UsageError(f"--sha256 is for one file without a checksum: {text}", next_step="leave it out")


def _require_word(spec: ExtractorSpec, weight: WeightFile, file: Path, unverified: bool) -> None:
    """Ask whether to keep a file that no published checksum confirms. Raises WeightsError without a yes."""
    import sys

    from serab_core.cli.output import stderr
    from serab_core.errors import WeightsError
    from serab_core.store.weights import file_sha256

    if unverified:
        return
    found = file_sha256(file)
    stderr().print(
        f"No checksum of {weight.name} is published. {weight.url} sent a file with the sha256 {found}",
        highlight=False,
        soft_wrap=True,
    )
    if sys.stdin.isatty() and typer.confirm("Do you trust it?", err=True):
        return
    raise WeightsError(
        f"nothing confirms the file that was downloaded (sha256 {found})",
        where=weight.name,
        next_step=f"compare it with what the authors publish, then `serab weights fetch {spec.name} --sha256 {found}`; "
        "or --unverified, if you trust the address",
    )


def _weight_for(spec: ExtractorSpec, file: Path) -> WeightFile:
    """The one of the extractor's weight files that `file` is: by its published name where there are several."""
    from serab_core.errors import UsageError

    if not spec.weights:
        raise UsageError("needs no weights", where=spec.name, next_step="leave it out")
    if len(spec.weights) == 1:
        return spec.weights[0]
    for weight in spec.weights:
        if file.name in (weight.published, Path(weight.name).name):
            return weight
    names = ", ".join(weight.published for weight in spec.weights)
    raise UsageError(f"needs several files: {names}", where=spec.name, next_step=f"rename {file.name} to one of them")


def _agree(home: Home, weight: WeightFile, accept: bool) -> None:
    """Shows the licence, and asks where there is something to agree to."""
    import sys

    from serab_core.cli.output import stderr
    from serab_core.store.weights import agree

    errors = stderr()
    errors.print(f"Licence of {weight.name}: {weight.licence or 'unknown'}", markup=False, highlight=False)

    def ask(weight: WeightFile) -> bool:
        errors.print(weight.terms, markup=False, highlight=False)
        if accept:
            return True
        return sys.stdin.isatty() and typer.confirm("Do you agree?", err=True)

    agree(home, weight, ask)


def _tell(home: Home, spec: ExtractorSpec, weight: WeightFile, as_json: bool, *, pinned: bool) -> None:
    from serab_core.cli.output import print_json, stdout

    row = _row(home, spec, weight)
    if as_json:
        print_json({"schema": "serab.weights-file/1", **row})
        return
    how = "as its plugin has it" if pinned else "recorded now: no published figure to hold it against"
    text = (
        f"{spec.name}: {row['path']}\n"
        f"  of {row['size']:,} bytes, sha256 {row['sha256']} ({how})\n"
        f"  next: serab eval {spec.name}"
    )
    stdout().print(text, markup=False, highlight=False, soft_wrap=True)


def _row(home: Home, spec: ExtractorSpec, weight: WeightFile) -> dict[str, Any]:
    from serab_core.store.weights import weight_record

    found = weight_record(home, weight)
    return {
        "extractor": spec.name,
        "name": weight.name,
        "installed": found is not None,
        "path": str(home.weights / weight.name),
        "url": weight.url,
        "size": found.source_size if found else weight.size,
        "sha256": found.source_sha256 if found else weight.sha256,
        "licence": weight.licence,
        "source": found.source if found else None,
    }
