"""`serab data add` and `serab data remove`: add a user's corpus, and remove a prepared corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli.output import find_home, print_json, show_progress, stdout
from serab_core.cli.parameters import AsJson, Copy, PreparedDataset
from serab_core.errors import NotPreparedError, StoreError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from serab_core.data.prepared import Prepared
    from serab_core.data.user_corpus import UserCorpus
    from serab_core.store.home import Home

ADD_HELP = (
    "Add your own corpus: CSV files with path, label, speaker and optionally split and fold, or an audformat database."
)
REMOVE_HELP = "Remove a prepared corpus from the home. Audio files that are used in place stay where they are."


_Label = Annotated[
    str,
    typer.Option(
        "--label", help="Column of the labels. Default: label. With --audformat: column or scheme, default emotion."
    ),
]
_Speaker = Annotated[
    str,
    typer.Option("--speaker", help="Column of the speakers; with --audformat, column or scheme. Default: speaker."),
]
_Split = Annotated[
    str,
    typer.Option("--split", help="Column of the splits; none draws splits by speaker. Default: split, if it exists."),
]
_Fold = Annotated[
    str,
    typer.Option("--fold", help="Column of the folds of the protocol folds; none uses no column. Default: fold."),
]
_Segments = Annotated[
    bool | None,
    typer.Option(
        "--segments/--whole-files",
        help="Cut segments by the columns start and end, or use whole files in spite of such columns.",
    ),
]


def add_command(
    name: Annotated[str, typer.Argument(help="The name of the new task.")],
    manifests: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MANIFEST.csv ...",
            help="One or several CSV files, whose rows form one corpus. Paths in a file are relative to its folder.",
        ),
    ] = None,
    audformat: Annotated[Path | None, typer.Option("--audformat", help="The folder of an audformat database.")] = None,
    path: Annotated[str, typer.Option("--path", help="Column of the audio files. Default: path.")] = "",
    label: _Label = "",
    speaker: _Speaker = "",
    split: _Split = "",
    fold: _Fold = "",
    segments: _Segments = None,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", help="With --audformat: a table with the labels, or a pattern. Can be repeated."),
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Language as a BCP 47 tag, such as de.")] = "und",
    copy: Copy = False,
    as_json: AsJson = False,
) -> None:
    """Add a user's corpus."""
    from serab_core import plugins
    from serab_core.cli.data import print_summary
    from serab_core.data.audformat_ import read_audformat
    from serab_core.data.manifest import read_manifest
    from serab_core.data.prepare import prepare_files
    from serab_core.data.protocols import SUITE
    from serab_core.data.user_corpus import Columns, check_dataset_name, user_dataset
    from serab_core.plugins.entry_points import Group
    from serab_core.results.stored import stored_on_other_data

    check_dataset_name(name, {*plugins.registry().names(Group.DATASETS), *SUITE})
    if bool(manifests) == (audformat is not None):
        raise UsageError("one source is needed", next_step="name one or several manifests, or --audformat DIR")
    if audformat is None and tables:
        raise UsageError(
            "--table chooses among the tables of a database", next_step="leave it out, or add --audformat DIR"
        )
    if audformat is not None and path:
        raise UsageError("--path names a column of a CSV; audformat has its own", next_step="leave --path out")
    if audformat is not None and fold:
        raise UsageError("--fold names a column of a CSV; a database has none", next_step="leave --fold out")
    columns = Columns(path, label, speaker, split, fold)
    corpus: UserCorpus
    if audformat is not None:
        corpus = read_audformat(audformat, columns, segments, tables or ())
    else:
        corpus = read_manifest(manifests or [], columns, segments)
    home = find_home().ensure()
    replaced = _replaced(home, name)
    prepared = prepare_files(
        user_dataset(name, corpus, language),
        [entry.file for entry in corpus.entries],
        str(audformat) if audformat is not None else ", ".join(str(manifest) for manifest in manifests or []),
        home,
        show_progress(),
        storage="flac" if copy else "in place",
        notes=corpus.notes,
    )
    if replaced is not None:
        replaced["shared_utterances"] = len(replaced.pop("ids") & {row["id"] for row in prepared.index["utterances"]})
    stored = stored_on_other_data(home, name)
    if as_json:
        document = {"schema": "serab.dataset-summary/1", **prepared.summary()}
        print_json(document | {"replaces": replaced, "results_on_other_data": stored})
        return
    console = stdout()
    print_summary(console, prepared.summary())
    if replaced is not None:
        text = _replaced_text(name, replaced, joinable=audformat is None)
        console.print(text, soft_wrap=True, style="yellow")
    for sentence in stored:
        console.print(f"  results: {sentence}", soft_wrap=True, style="yellow")


def remove_command(
    name: PreparedDataset,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a prepared corpus."""
    import difflib

    from serab_core.data.prepared import load, prepared_names
    from serab_core.store.atomic import remove_folder

    home = find_home()
    names = prepared_names(home)
    if name not in names:
        raise UnknownNameError(
            f"no prepared corpus is called {name!r}",
            next_step=f"prepared are: {', '.join(names)}" if names else "no corpus is prepared: see `serab data list`",
            suggestions=difflib.get_close_matches(name, names, n=1, cutoff=0.5),
        )
    folder = home.datasets / name
    try:
        held = _holdings(load(home, name))
    except StoreError:  # a damaged index can be removed too
        held = {"utterances": None, "in_place": None}
    copied = [path for path in folder.rglob("*") if path.is_file() and "audio" in path.parts]
    held |= {"copied": len(copied), "copied_bytes": sum(path.stat().st_size for path in copied)}
    if not yes and not _agreed(name, held):
        raise UsageError(f"{name} was not removed", next_step=f"serab data remove {name} --yes")
    remove_folder(folder)
    if as_json:
        print_json({"schema": "serab.dataset-removal/1", "name": name, "folder": str(folder), "removed": True, **held})
        return
    lines = [f"{name} is removed: {_held_text(held)}"]
    if held["in_place"]:
        lines.append(f"  {held['in_place']} audio files that were used in place stay where they are")
    lines.append("  results, embeddings and studies stay; serab cache gc shows what can be deleted")
    for line in lines:
        stdout().print(line, soft_wrap=True)


def _holdings(prepared: Prepared) -> dict[str, Any]:
    rows = prepared.index["utterances"]
    in_place = {row["file"] for row in rows if Path(row["file"]).is_absolute()}
    return {"utterances": len(rows), "in_place": len(in_place)}


def _held_text(held: dict[str, Any]) -> str:
    count = "an index that cannot be read" if held["utterances"] is None else f"{held['utterances']:,} utterances"
    audio = f"{held['copied']:,} audio files in the home ({held['copied_bytes'] / 1e6:,.1f} MB)"
    return f"{count}, {audio if held['copied'] else 'no audio in the home'}"


def _agreed(name: str, held: dict[str, Any]) -> bool:
    """Ask the user to confirm. Without a terminal, return False."""
    import sys

    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"Remove {name} ({_held_text(held)})?", err=True)


def _replaced(home: Home, name: str) -> dict[str, Any] | None:
    """Return the prepared corpus of that name; None if it does not exist."""
    import time

    from serab_core.data.prepared import INDEX_NAME, load

    try:
        prepared = load(home, name)
    except NotPreparedError:
        return None
    except StoreError:
        return {"name": name, "utterances": None, "labels": {}, "splits": {}, "prepared": None, "ids": set()}
    summary = prepared.summary()
    written = time.localtime((prepared.folder / INDEX_NAME).stat().st_mtime)
    return {
        "name": name,
        "utterances": summary["utterances"],
        "labels": summary["labels"],
        "splits": summary["splits"],
        "prepared": time.strftime("%Y-%m-%dT%H:%M:%S", written),
        "ids": {row["id"] for row in prepared.index["utterances"]},
    }


def _replaced_text(name: str, replaced: dict[str, Any], *, joinable: bool) -> str:
    if replaced["utterances"] is None:
        return f"  it replaces a corpus {name} whose index could not be read"
    labels = ", ".join(f"{label} {count}" for label, count in replaced["labels"].items())
    text = (
        f"  it replaces {replaced['utterances']:,} utterances of {name} prepared {replaced['prepared']} ({labels}); "
        f"{replaced['shared_utterances']:,} of them are in the new one"
    )
    if joinable and not replaced["shared_utterances"]:
        text += f"; to join several manifests, name them in one command: serab data add {name} A.csv B.csv"
    return text
