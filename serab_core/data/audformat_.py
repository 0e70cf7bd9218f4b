"""Databases in audformat, audEERING's format: their tables as the rows of a manifest."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.data.manifest import entries_of
from serab_core.errors import DataError, UsageError

if TYPE_CHECKING:
    from serab_core.types import Entry


def read_audformat(root: Path, label: str = "emotion", speaker: str = "speaker") -> tuple[Entry, ...]:
    """The utterances of a database on disk.

    Args:
        root: the folder with `db.yaml`.
        label, speaker: the columns, or schemes, that hold them; each is taken from the first table that has it.

    Raises:
        UsageError: the package `audformat` is not installed.
        DataError: the folder holds no database, or its tables lack a column or cells of it.
    """
    try:
        import audformat
    except ImportError as error:
        raise UsageError("audformat is not installed", next_step="pip install audformat") from error
    if not (root / "db.yaml").is_file():
        raise DataError(
            "is no audformat database (it has no db.yaml)", where=root, next_step="name the folder of db.yaml"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # audformat's, about its own use of pandas
            database = audformat.Database.load(str(root))
            labels, speakers = (_column(database, name, root) for name in (label, speaker))
    except DataError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"is no audformat database that can be read ({type(error).__name__}: {reason})", where=root
        ) from error
    rows = (
        ({"path": path, "label": text, "speaker": speakers.get(path, "")}, f"{root}: {path}")
        for path, text in labels.items()
    )
    return entries_of(rows, root, root)


def _column(database: Any, name: str, root: Path) -> dict[str, str]:
    """The first filewise column of that name or scheme: values by file, empty ones left out."""
    for table_id in database.tables:
        table = database[table_id]
        if not table.is_filewise:
            continue
        for column_id in table.columns:
            if name in (column_id, table.columns[column_id].scheme_id):
                series = table.df[column_id].dropna()
                files = (
                    str(Path(file).relative_to(root)) if Path(file).is_absolute() else file for file in series.index
                )
                return dict(zip(files, map(str, series), strict=True))
    raise DataError(
        f"has no table of files with a column or scheme {name!r}",
        where=root,
        next_step="say which with --label and --speaker",
    )
