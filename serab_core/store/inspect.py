"""Looks at everything in a home: how much there is, what is damaged, and what nobody needs any more."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from serab_core.errors import StoreError, store_error
from serab_core.store.atomic import sweep
from serab_core.store.digests import outdated_records
from serab_core.store.journal import check_journal
from serab_core.store.jsonio import digest, read_json
from serab_core.store.results import read_any_result, read_outcome
from serab_core.store.shards import SCHEMA as SHARD_SCHEMA
from serab_core.store.shards import Shard, check_shard, quarantine
from serab_core.store.weights import damaged_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import Progress

_SHARD = re.compile(r"[0-9a-f]{32}")
_ASIDE = re.compile(r"\.bad-\d{8}T\d{6}$")
DAY_S = 24 * 3600.0
UNREADABLE = "?"  # the extractor of embeddings without a manifest that can be read


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that a home holds.

    Attributes:
        room: the folder of the home.
        name: an extractor for embeddings, a corpus for datasets; "" for all of a room.
        files: how many.
        used: when one of them was last written, in seconds since the epoch.
        superseded: whether they are embeddings of an earlier version of the extractor.
    """

    room: str
    name: str
    files: int
    size: int
    used: float
    folder: Path
    superseded: bool = False


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


def holdings(home: Home, current: Mapping[str, str] | None = None) -> list[Holding]:
    """What is there: embeddings by fingerprint, datasets by corpus, all other rooms as a whole.

    Args:
        home: the home.
        current: digests of the fingerprints of extractors as they are installed, by name. Of other extractors the
            embeddings that were written last are current.
    """
    others = [folder for folder in _folders(home.root) if folder not in (home.embeddings, home.datasets)]
    found = [
        *_embeddings(home, current or {}),
        *(_holding("datasets", folder.name, folder) for folder in _folders(home.datasets)),
        *(_holding(folder.name, "", folder) for folder in others),
    ]
    return [holding for holding in found if holding.files]


def _embeddings(home: Home, current: Mapping[str, str]) -> list[Holding]:
    """The embeddings of each fingerprint; of one extractor the current ones first, then those written last."""
    by_name: dict[str, list[Holding]] = {}
    for folder in _folders(home.embeddings):
        name = extractor_of(folder)
        by_name.setdefault(name, []).append(_holding("embeddings", name, folder))
    ordered = []
    for name, group in sorted(by_name.items()):
        group.sort(key=lambda holding: holding.used, reverse=True)
        key = current[name][:32] if name in current else group[0].folder.name
        marked = [replace(own, superseded=own.folder.name != key and name != UNREADABLE) for own in group]
        ordered += sorted(marked, key=lambda own: own.superseded)
    return ordered


def extractor_of(folder: Path) -> str:
    """Whose embeddings a folder has, by one of its manifests; UNREADABLE where none can be read."""
    for manifest in folder.glob("*.json"):
        with contextlib.suppress(StoreError, KeyError, TypeError):
            return str(read_json(manifest, SHARD_SCHEMA)["provenance"]["fingerprint"]["extractor"])
    return UNREADABLE


def extractors_of(home: Home) -> list[str]:
    """The names of the extractors whose embeddings are there."""
    return sorted({extractor_of(folder) for folder in _folders(home.embeddings)})


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
        yield path, _call(read_any_result, path), _call(move_aside, path)
    for path in sorted(home.datasets.glob("*/index.json")):
        yield path, _call(read_json, path, "serab.dataset/1"), None
    for path, what in damaged_weights(home):
        yield path, _call(_raise, path, what), None


def _call(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)


def _raise(path: Path, what: str) -> None:
    if what:
        raise StoreError(what, where=path)


def move_aside(path: Path) -> None:
    """Renames a file to `*.bad-<time>`; one that is gone meanwhile is no matter."""
    with contextlib.suppress(FileNotFoundError):
        path.rename(path.with_name(f"{path.name}.bad-{time.strftime('%Y%m%dT%H%M%S')}"))


def waste(home: Home, current: Mapping[str, str], *, older_than_s: float, superseded: bool = False) -> list[Waste]:
    """What nobody needs: files that were set aside, and embeddings of no result and of no installed extractor.

    Args:
        home: the home.
        current: digests of the fingerprints of extractors as they are installed, by name.
        older_than_s: embeddings that were written later are kept in any case.
        superseded: add the embeddings of earlier versions of an extractor, though there are results of them.
    """
    found = [
        Waste(path, path.stat().st_size, "was damaged, and set aside")
        for path in sorted(home.root.rglob("*.bad-*"))
        if _ASIDE.search(path.name) and path.is_file()
    ]
    needed = {digest[:32] for digest in current.values()} | {digest[:32] for digest in _fingerprints(home)}
    for own in _embeddings(home, current):
        if time.time() - own.used <= older_than_s:
            continue
        if superseded and own.superseded:
            why = f"embeddings of an earlier version of {own.name}"
        elif own.folder.name not in needed:
            why = f"embeddings of {own.name}, of which there is no result and no such version is installed"
        else:
            continue
        found.append(Waste(own.folder, own.size, why))
    found += [
        Waste(path, path.stat().st_size, "is the digest of a file that is gone or has changed")
        for path in outdated_records()
    ]
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
            told = read_any_result(path)
            yield digest(dict(told.provenance["fingerprint"]))


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
