"""`serab list`: list the extractors, datasets and classifiers of installed plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from serab_core.cli.output import find_home, print_json, stderr, stdout
from serab_core.cli.parameters import AsJson
from serab_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.plugins.entry_points import Group
    from serab_core.types import ExtractorSpec

app = typer.Typer(no_args_is_help=True, help="List the installed extractors, datasets and classifiers.")


@app.command("extractors", help="List the installed extractors.")
def extractors_command(as_json: AsJson = False) -> None:
    """List extractors."""
    from serab_core.plugins.entry_points import Group

    _show(
        Group.EXTRACTORS,
        as_json,
        lambda spec: {
            "name": spec.name,
            "dim": spec.dim,
            "rate_hz": spec.sample_rate,
            "weights": _weights(spec),
            "summary": spec.summary,
            "licence": spec.licence,
            "options": dict(spec.options),
        },
        wide=("rate_hz", "licence"),
    )


def _weights(spec: ExtractorSpec) -> str:
    """Return whether the weights of an extractor are installed, and their size, as text."""
    from serab_core.store.weights import weight_record

    if not spec.weights:
        return "none needed"
    home, sizes, missing = find_home(), [], False
    for weight in spec.weights:
        try:
            record = weight_record(home, weight)
        except StoreError:
            record = None
        missing |= record is None
        sizes.append(weight.size if record is None else record.source_size)
    known = [size for size in sizes if size is not None]
    size = f"{sum(known) / 1e6:.1f} MB" if len(known) == len(sizes) else "size unknown"
    return f"{'missing' if missing else 'here'}, {size}"


@app.command("datasets", help="List the installed datasets.")
def datasets_command(as_json: AsJson = False) -> None:
    """List datasets."""
    from serab_core.plugins.entry_points import Group

    _show(
        Group.DATASETS,
        as_json,
        lambda spec: {
            "name": spec.name,
            "title": spec.title,
            "language": spec.language,
            "utterances": sum(spec.expected_counts.values()),
            "labels": len(spec.labels),
            "speakers": spec.expected_speakers,
        },
    )


@app.command("classifiers", help="List the installed classifiers.")
def classifiers_command(as_json: AsJson = False) -> None:
    """List classifiers."""
    from math import prod

    from serab_core.plugins.entry_points import Group

    _show(
        Group.CLASSIFIERS,
        as_json,
        lambda spec: {
            "name": spec.name,
            "title": spec.title,
            "summary": spec.summary,
            "grid_points": prod(len(values) for values in spec.search_space.values()),
        },
    )


_WIDE = 110  # characters; a terminal of at least this width shows every column of the table


def _show(group: Group, as_json: bool, describe: Callable[[Any], dict[str, Any]], wide: tuple[str, ...] = ()) -> None:
    from serab_core import plugins
    from serab_core.plugins.entry_points import PluginState
    from serab_core.report.tables import table

    plural = group.value.removeprefix("serab.")
    rows = [describe(spec) for spec in plugins.all_specs(group).values()]
    broken = [
        record
        for record in plugins.registry().records(group)
        if record.state not in (PluginState.LOADED, PluginState.DISABLED)
    ]
    if as_json:
        print_json({"schema": f"serab.{plural}/1", plural: rows, "broken": [record.as_json() for record in broken]})
    elif rows:
        left_out = wide if stdout().width < _WIDE else ()
        rows = [
            {key: value for key, value in row.items() if key not in left_out and not isinstance(value, dict)}
            for row in rows
        ]
        titles = {key: key.capitalize().replace("_hz", ", Hz").replace("_", " ") for key in rows[0]}
        numbers = [titles[key] for key, value in rows[0].items() if isinstance(value, int)]
        listing = table(*titles.values(), right=numbers)
        listing.columns[0].no_wrap = True
        for row in rows:
            listing.add_row(*(str(value) for value in row.values()))
        stdout().print(listing)
        if left_out:
            names = ", ".join(key.partition("_")[0] for key in left_out)
            stdout().print(f"A wider terminal, or --json, also shows: {names}.", style="dim")
    else:
        stderr().print(f"No {plural} are installed. See: serab plugins --available")
    for record in broken:
        text = f"{record.name} (from {record.origin}) is not listed, {record.state.value}: {record.error}"
        stderr().print(text, soft_wrap=True, style="yellow")
