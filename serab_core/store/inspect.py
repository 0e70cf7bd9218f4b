"""Looks at everything in a home: how much there is, what is damaged, and what nobody needs any more."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serab_core.errors import StoreError, store_error
from serab_core.store.journal import check_journal
from serab_core.store.jsonio import digest, read_json
from serab_core.store.leftovers import sweep
from serab_core.store.results import RESULT_SCHEMA, read_continuous, read_outcome, read_result
from serab_core.store.shards import SCHEMA as SHARD_SCHEMA
from serab_core.store.shards import Shard, check_shard, quarantine
from serab_core.store.weights import damaged_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import Progress

_SHARD = re.compile(r"[0-9a-f]{32}")
_ASIDE = re.compile(r"\.bad-\d{8}T\d{6}$")
DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that a home holds.

    Attributes:
        room: the folder of the home.
        name: an extractor for embeddings, a corpus for datasets; "" for all of a room.
        files: how many.
        used: when one of them was last written, in seconds since the epoch.
    """

    room: str
    name: str
    files: int
    size: int
    used: float
    folder: Path


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what it should be.

    Attributes:
        aside: it was set aside, and will be made anew.
    """

    path: Path
    what: str
    aside: bool


@dataclass(frozen=True, slots=True)
class Waste:
    """Something that may go, and why."""

    path: Path
    size: int
    why: str


def holdings(home: Home) -> list[Holding]:
    """What is there: embeddings by fingerprint, datasets by corpus, all other rooms as a whole."""
    others = [folder for folder in _folders(home.root) if folder not in (home.embeddings, home.datasets)]
    found = [
        *(_holding("embeddings", extractor_of(folder), folder) for folder in _folders(home.embeddings)),
        *(_holding("datasets", folder.name, folder) for folder in _folders(home.datasets)),
        *(_holding(folder.name, "", folder) for folder in others),
    ]
    return [holding for holding in found if holding.files]


def extractor_of(folder: Path) -> str:
    """Whose embeddings a folder has, by one of its manifests; "?" where none can be read."""
    for manifest in folder.glob("*.json"):
        with contextlib.suppress(StoreError, KeyError, TypeError):
            return str(read_json(manifest, SHARD_SCHEMA)["provenance"]["fingerprint"]["extractor"])
    return "?"


def verify_home(home: Home, progress: Progress, *, set_aside: bool = True) -> tuple[int, list[Damage]]:
    """Reads every file that has a checksum or a schema.

    Args:
        home: the home.
        progress: told of each file.
        set_aside: rename what is damaged to `*.bad-<time>`, so that the next run makes it anew; weights and corpora,
            which serab cannot make, are told only.

    Returns:
        how many files were read, and those that are damaged.
    """
    jobs = list(_checks(home))
    damaged = []
    with progress.stage("Verifying the home", len(jobs)) as advance:
        for path, check, aside in jobs:
            try:
                check()
            except StoreError as error:
                moved = set_aside and aside is not None
                if moved and aside is not None:
                    aside()
                damaged.append(Damage(path, error.what, moved))
            advance(1)
    return len(jobs), damaged


def _checks(home: Home) -> Iterator[tuple[Path, Callable[[], Any], Callable[[], None] | None]]:
    """Each file with what reads it, and what sets it aside."""
    for manifest in sorted(home.embeddings.glob("*/*.json")):
        if _SHARD.fullmatch(manifest.stem):
            shard = Shard(manifest.parent, manifest.stem)
            yield shard.path, _call(check_shard, shard), _call(quarantine, shard)
    for path in sorted(home.studies.glob("*.json")):
        yield path, _call(read_outcome, path), _call(move_aside, path)
    for path in sorted(home.studies.glob("*.h5")):
        yield path, _call(check_journal, path), _call(move_aside, path)
    for path in sorted(home.results.rglob("*.json")):
        yield path, _call(_read_result, path), _call(move_aside, path)
    for path in sorted(home.datasets.glob("*/index.json")):
        yield path, _call(read_json, path, "serab.dataset/1"), None
    for path, what in damaged_weights(home):
        yield path, _call(_raise, path, what), None


def _call(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)


def _raise(path: Path, what: str) -> None:
    if what:
        raise StoreError(what, where=path)


def _read_result(path: Path) -> object:
    try:
        return read_result(path)
    except StoreError as error:
        if f"where {RESULT_SCHEMA!r} is wanted" in error.what:
            return read_continuous(path)
        raise


def move_aside(path: Path) -> None:
    """Renames a file to `*.bad-<time>`; one that is gone meanwhile is no matter."""
    with contextlib.suppress(FileNotFoundError):
        path.rename(path.with_name(f"{path.name}.bad-{time.strftime('%Y%m%dT%H%M%S')}"))


def waste(home: Home, current: Collection[str], *, older_than_s: float) -> list[Waste]:
    """What nobody needs: files that were set aside, and embeddings of no result and of no installed extractor.

    Args:
        home: the home.
        current: digests of the fingerprints of extractors as they are installed.
        older_than_s: embeddings that were written later are kept in any case.
    """
    found = [
        Waste(path, path.stat().st_size, "was damaged, and set aside")
        for path in sorted(home.root.rglob("*.bad-*"))
        if _ASIDE.search(path.name) and path.is_file()
    ]
    needed = {own[:32] for own in current} | {own[:32] for own in _fingerprints(home)}
    for folder in _folders(home.embeddings):
        own = _holding("embeddings", extractor_of(folder), folder)
        if folder.name not in needed and time.time() - own.used > older_than_s:
            why = f"embeddings of {own.name}, of which there is no result and no such version is installed"
            found.append(Waste(folder, own.size, why))
    return found


def clear(home: Home, found: Collection[Waste]) -> None:
    """Removes waste, and what killed processes left half-written. Raises StoreError."""
    for one in found:
        try:
            if one.path.is_dir():
                shutil.rmtree(one.path)
            else:
                one.path.unlink(missing_ok=True)
        except OSError as error:
            raise store_error(error, one.path, "removed") from error
    sweep(home.root)


def _fingerprints(home: Home) -> Iterator[str]:
    """Of the extractors of stored results."""
    for path in home.results.rglob("*.json"):
        with contextlib.suppress(StoreError, KeyError, TypeError, AttributeError):
            told = _read_result(path)
            yield digest(dict(told.provenance["fingerprint"]))  # type: ignore[attr-defined]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _holding(room: str, name: str, folder: Path) -> Holding:
    files = size = 0
    used = 0.0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            told = path.stat()
            if path.is_file():
                files, size, used = files + 1, size + told.st_size, max(used, told.st_mtime)
    return Holding(room, name, files, size, used, folder)
