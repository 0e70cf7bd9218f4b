"""`serab weights`: list, import and download the weight files of extractors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli import complete
from serab_core.cli.output import find_home, print_json, show_progress, stderr, stdout
from serab_core.cli.parameters import AsJson
from serab_core.errors import UsageError, WeightsError

if TYPE_CHECKING:
    from serab_core.store.home import Home
    from serab_core.types import ExtractorSpec, WeightFile

app = typer.Typer(no_args_is_help=True, help="List, import and download the weights of extractors.")
_Accept = Annotated[
    bool,
    typer.Option("--accept-licence", help="Agree to the terms of the file without a question; they are still shown."),
]


@app.command("list", help="List the weights that the installed extractors need, and whether each is installed.")
def list_command(as_json: AsJson = False) -> None:
    """List weights."""
    from serab_core import plugins
    from serab_core.plugins.entry_points import Group
    from serab_core.report.tables import table

    home = find_home()
    rows = [_row(home, spec, w) for spec in plugins.all_specs(Group.EXTRACTORS).values() for w in spec.weights]
    if as_json:
        print_json({"schema": "serab.weights-list/1", "home": str(home.weights), "weights": rows})
        return
    listing = table("Extractor", "Here", "Bytes", "sha256", "Licence", right=["Bytes"])
    for row in rows:
        size, sha256 = row["size"], row["sha256"]
        listing.add_row(
            row["extractor"],
            "yes" if row["installed"] else "-",
            f"{size:,}" if size else "-",
            f"{sha256[:12]}…" if sha256 else "-",
            row["licence"],
        )
    stdout().print(listing)
    for row in rows:
        stdout().print(f"{row['extractor']}: {row['url']}", soft_wrap=True)
    stdout().print(f"Weights are stored in {home.weights}", soft_wrap=True)


@app.command("import", help="Import a weight file that you downloaded.")
def import_command(
    extractor: Annotated[
        str, typer.Argument(metavar="X", help="The extractor, such as byol-s/512.", autocompletion=complete.extractors)
    ],
    file: Annotated[Path, typer.Argument(help="The published file, or the folder of a SavedModel.")],
    accept: _Accept = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Accept a file that differs from the recorded one.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a weight file."""
    from serab_core import plugins
    from serab_core.store.weights import import_weights

    home = find_home().ensure()
    spec = plugins.extractor(extractor)
    weight = _weight_for(spec, file)
    if not file.is_file() and not (weight.folder and file.is_dir()):
        raise WeightsError("file not found", where=str(file), next_step="check the path")
    _agree(home, weight, accept)
    import_weights(home, weight, file, str(file.absolute()), replace=replace)
    _print_row(home, spec, weight, as_json, pinned=weight.sha256 is not None)


@app.command("fetch", help="Download the weights of extractors. Installed weights stay as they are.")
def fetch_command(
    extractors: Annotated[
        list[str],
        typer.Argument(metavar="X [Y ...]", help="Extractors, such as byol-s/512.", autocompletion=complete.extractors),
    ],
    accept: _Accept = False,
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", help="The SHA-256 of a file whose plugin states none.")
    ] = "",
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Accept a file without a checksum, because you trust its address.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download weight files."""
    from dataclasses import replace

    from serab_core import plugins
    from serab_core.store.fetch import fetch
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
                file = fetch(home, spec.name, checked, show_progress())
                if checked.sha256 is None:
                    _confirm_unverified(spec, weight, file, unverified)
                import_weights(home, checked, file, weight.url)
                file.unlink(missing_ok=True)
            _print_row(home, spec, weight, as_json, pinned=weight.sha256 is not None)


def _check_sha256(sha256: str, weights: list[WeightFile]) -> None:
    """Check that --sha256 is a SHA-256, and that exactly one file lacks a checksum. Raises UsageError."""
    import re

    if not sha256:
        return
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", sha256):
        raise UsageError("--sha256 is not a SHA-256", next_step="give its 64 hexadecimal digits")
    without = [weight.name for weight in weights if weight.sha256 is None]
    if len(without) != 1:
        text = f"{len(without)} of the files have none" if without else "the plugin already states the checksum"
        raise UsageError(f"--sha256 needs exactly one file without a checksum: {text}", next_step="leave it out")


def _confirm_unverified(spec: ExtractorSpec, weight: WeightFile, file: Path, unverified: bool) -> None:
    """Ask whether to accept a file that no published checksum confirms. Raises WeightsError unless the user agrees."""
    import sys

    from serab_core.store.weights import file_sha256

    if unverified:
        return
    digest = file_sha256(file)
    stderr().print(
        f"No checksum of {weight.name} is published. The file from {weight.url} has the sha256 {digest}", soft_wrap=True
    )
    if sys.stdin.isatty() and typer.confirm("Do you trust it?", err=True):
        return
    raise WeightsError(
        f"no checksum confirms the downloaded file (sha256 {digest})",
        where=weight.name,
        next_step=f"compare it with what the authors publish, then run `serab weights fetch {spec.name} --sha256 "
        f"{digest}`; or add --unverified, if you trust the address",
    )


def _weight_for(spec: ExtractorSpec, file: Path) -> WeightFile:
    """Return the weight file of the extractor that `file` contains; if there are several, by the published name."""
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
    """Print the licence, and ask the user to agree to the terms, if there are any."""
    import sys

    from serab_core.store.weights import agree

    errors = stderr()
    errors.print(f"Licence of {weight.name}: {weight.licence or 'unknown'}")

    def ask(weight: WeightFile) -> bool:
        errors.print(weight.terms)
        if accept:
            return True
        return sys.stdin.isatty() and typer.confirm("Do you agree?", err=True)

    agree(home, weight, ask)


def _print_row(home: Home, spec: ExtractorSpec, weight: WeightFile, as_json: bool, *, pinned: bool) -> None:

    row = _row(home, spec, weight)
    if as_json:
        print_json({"schema": "serab.weights-file/1", **row})
        return
    how = "as the plugin declares" if pinned else "recorded now: no checksum is published to compare it with"
    text = (
        f"{spec.name}: {row['path']}\n"
        f"  {row['size']:,} bytes, sha256 {row['sha256']} ({how})\n"
        f"  next: serab eval {spec.name}"
    )
    stdout().print(text, soft_wrap=True)


def _row(home: Home, spec: ExtractorSpec, weight: WeightFile) -> dict[str, Any]:
    from serab_core.store.weights import weight_record

    record = weight_record(home, weight)
    return {
        "extractor": spec.name,
        "name": weight.name,
        "installed": record is not None,
        "path": str(home.weights / weight.name),
        "url": weight.url,
        "size": record.source_size if record else weight.size,
        "sha256": record.source_sha256 if record else weight.sha256,
        "licence": weight.licence,
        "source": record.source if record else None,
    }
