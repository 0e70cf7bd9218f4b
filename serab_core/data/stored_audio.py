"""Compares the audio that the home stores for prepared corpora with the samples that were prepared."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.audio.decode import decode
from serab_core.data.disk_names import disk_name
from serab_core.data.prepared import load, prepared_names
from serab_core.errors import AudioError, StoreError
from serab_core.store.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serab_core.store.home import Home


def stored_audio_checks(home: Home) -> Iterator[tuple[Path, Callable[[], None], None]]:
    """Yield each audio file that the home stores, with the function that checks it.

    Audio that is used in place belongs to the user, and is checked by `serab data verify`. A corpus whose index is
    damaged or cannot be read is left out, because its index is checked separately.
    """
    for name in prepared_names(home):
        try:
            prepared = load(home, name)
            rows = [(disk_name(row["file"]), str(row["sha256"])) for row in prepared.index["utterances"]]
        except (StoreError, KeyError, TypeError, AttributeError):
            continue
        for file, sha256 in rows:
            if not Path(file).is_absolute():
                path = prepared.folder / file
                yield path, partial(check_audio, path, sha256), None


def check_audio(path: Path, sha256: str) -> None:
    """Check that a file decodes to the samples of this sha256.

    Raises:
        StoreError: the file cannot be read.
        AudioError: the file is missing, is damaged, or holds other samples.
    """
    try:
        content = read_file(path)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise AudioError("is missing", where=path, next_step="prepare the corpus again") from error
        raise
    if decode(content, str(path)).sha256 != sha256:
        raise AudioError("has changed since it was prepared", where=path, next_step="prepare the corpus again")
