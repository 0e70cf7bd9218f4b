"""`serab report`: write results as an HTML page and as figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serab_core.cli.csv_option import split_csv
from serab_core.cli.output import find_home, print_json, stderr, stdout
from serab_core.cli.parameters import AsJson, IncludedExtractors, IncludedTasks, Protocol

HELP = """Write stored results as one HTML page.

The page shows scores with intervals, significant differences, and the provenance of each score.

It loads nothing from the network, so you can send it to anybody.
"""


def report_command(
    extractors: IncludedExtractors = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("serab-report.html"),
    title: Annotated[str, typer.Option("--title", help="The title of the page.")] = "Speech emotion recognition",
    protocol: Protocol = None,
    tasks: IncludedTasks = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Also write the figures into a folder, as SVG and PNG.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report."""
    from serab_core.data.protocols import default_protocol
    from serab_core.report.board import load_leaderboard
    from serab_core.report.figures.files import PNG_HINT, can_write_png, write_figures
    from serab_core.report.html.page import report_page
    from serab_core.run.throughput import read_throughputs
    from serab_core.store.atomic import write_output
    from serab_core.system.terminal import file_content

    name = protocol or default_protocol()
    home = find_home()
    data = load_leaderboard(home, name, split_csv(extractors), split_csv(tasks))
    speeds = read_throughputs(home, data.board)
    page = file_content(report_page(data, title, speeds))
    write_output(output, page)
    written = write_figures(data.board, speeds, figures) if figures is not None else []
    if figures is not None and not can_write_png():
        stderr().print(f"No PNG files: {PNG_HINT}", soft_wrap=True)
    if as_json:
        files = [str(path) for path in written]
        facts = {"file": str(output), "bytes": len(page), "figures": files, "throughput": dict(speeds)}
        print_json({"schema": "serab.report/1", **facts})
    else:
        out = stdout()
        out.print(f"Wrote {output} ({len(page) / 1e6:.2f} MB).", soft_wrap=True)
        if written:
            out.print(f"Wrote {len(written)} figures into {figures}.", soft_wrap=True)
    if show:
        typer.launch(output.absolute().as_uri())
