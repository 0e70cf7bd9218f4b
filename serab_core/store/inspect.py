"""Inspects a home: its holdings, damaged files, and files that can be deleted."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from serab_core.errors import AudioError, ContentError, StoreError, store_error
from serab_core.store.atomic import remove_folder
from serab_core.store.codec import read_json
from serab_core.store.digests import outdated_records
from serab_core.store.download import PARTIAL_AGE_S, sweep_downloads
from serab_core.store.journal import check_journal
from serab_core.store.jsonio import digest
from serab_core.store.leftovers import DOWNLOADS, sweep
from serab_core.store.reading import files_below, may_exist, raise_first
from serab_core.store.results import read_outcome, read_result
from serab_core.store.shards import Shard, check_shard, move_aside, quarantine, read_manifest
from serab_core.store.weights import check_weights, weight_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import Progress

_SHARD = re.compile(r"[0-9a-f]{32}")
_ASIDE = re.compile(r"\.bad-\d{8}T\d{6}$")
DAY_S = 24 * 3600.0
UNREADABLE = "?"  # stands for the extractor of embeddings that have no readable manifest


@dataclass(frozen=True, slots=True)
class Holding:
    """A group of files in a home.

    Attributes:
        room: the folder of the home.
        name: an extractor for embeddings, a corpus for datasets; "" for the whole folder.
        files: number of files.
        size: their size, in bytes.
        used: the time of the last write, in seconds since the epoch.
        superseded: they are embeddings of an earlier version of the extractor.
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
    """A damaged file.

    Attributes:
        problem: what is wrong with it, as a predicate.
        aside: the file was quarantined, and the next run computes it again.
    """

    path: Path
    problem: str
    aside: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a home.

    Attributes:
        files: number of files that were read.
        damaged: files with invalid content.
        unreadable: errors of files and folders that cannot be read; their content may be valid.
    """

    files: int
    damaged: tuple[Damage, ...]
    unreadable: tuple[StoreError, ...]


@dataclass(frozen=True, slots=True)
class Waste:
    """A file or folder that can be deleted, and the reason."""

    path: Path
    size: int
    why: str


def holdings(home: Home, current: Mapping[str, str] | None = None) -> list[Holding]:
    """Return the holdings of a home: embeddings by fingerprint, datasets by corpus, every other folder as a whole.

    Args:
        home: the home.
        current: fingerprint digests of installed extractors, by name. For other extractors, the embeddings that were
            written last are current.
    """
    others = [folder for folder in _folders(home.root) if folder not in (home.embeddings, home.datasets)]
    all_holdings = [
        *_embeddings(home, current or {}),
        *(_holding("datasets", folder.name, folder) for folder in _folders(home.datasets)),
        *(_holding(folder.name, "", folder) for folder in others),
    ]
    return [holding for holding in all_holdings if holding.files]


def _embeddings(home: Home, current: Mapping[str, str]) -> list[Holding]:
    """Return the embeddings of each fingerprint, by extractor: the current ones first, then the last written."""
    by_name: dict[str, list[Holding]] = {}
    for folder in _folders(home.embeddings):
        name = extractor_of(folder)
        by_name.setdefault(name, []).append(_holding("embeddings", name, folder))
    ordered = []
    for name, group in sorted(by_name.items()):
        group.sort(key=lambda holding: holding.used, reverse=True)
        key = current[name][:32] if name in current else group[0].folder.name
        marked = [replace(holding, superseded=holding.folder.name != key and name != UNREADABLE) for holding in group]
        ordered += sorted(marked, key=lambda holding: holding.superseded)
    return ordered


def extractor_of(folder: Path) -> str:
    """Return the extractor of a folder of embeddings, from one of its manifests; UNREADABLE if none can be read."""
    for manifest in folder.glob("*.json"):
        with contextlib.suppress(StoreError, KeyError, TypeError):
            return str(read_manifest(Shard(folder, manifest.stem)).provenance["fingerprint"]["extractor"])
    return UNREADABLE


def extractors_of(home: Home) -> list[str]:
    """Return the names of the extractors that have embeddings in the home."""
    return sorted({extractor_of(folder) for folder in _folders(home.embeddings)})


Check: TypeAlias = "tuple[Path, Callable[[], Any], Callable[[], None] | None]"
"""A file, the function that reads it, and the one that quarantines it; None for a file that serab cannot recreate."""


def verify_home(home: Home, progress: Progress, *, audio: Iterable[Check] = (), set_aside: bool = True) -> Verification:
    """Read every file that has a checksum or a schema.

    Args:
        home: the home.
        progress: receives the number of files.
        audio: checks of the audio that the home stores.
        set_aside: quarantine damaged files: rename them to `*.bad-<time>`, so that the next run computes them again.
            Weights and corpora, which serab cannot recreate, and unreadable files stay where they are.
    """
    checks, unreadable = _checks(home)
    checks += audio
    damaged, read = [], 0
    with progress.task("Verifying the home", len(checks)) as advance:
        for path, check, aside in checks:
            read += 1
            try:
                check()
            except (ContentError, AudioError) as error:
                damaged.append(_set_aside(path, error.what, aside if set_aside else None))
            except StoreError as error:
                unreadable.append(error)
                read -= 1
            advance(1)
    return Verification(read, tuple(damaged), tuple(unreadable))


def _set_aside(path: Path, problem: str, aside: Callable[[], None] | None) -> Damage:
    if aside is None:
        return Damage(path, problem, aside=False)
    try:
        aside()
    except StoreError as error:  # such as in a folder where a user may rename only their own files
        return Damage(path, f"{problem}, and {error.what}", aside=False)
    return Damage(path, problem, aside=True)


def _checks(home: Home) -> tuple[list[Check], list[StoreError]]:
    """Return each file with its check, and the errors of folders that cannot be listed."""
    checks: list[Check] = []
    errors: list[StoreError] = []
    paths = {}
    for room, suffix in (
        (home.embeddings, ".json"), (home.studies, ".json"), (home.studies, ".h5"), (home.results, ".json"),
    ):  # fmt: skip
        paths[room, suffix], unreadable = files_below(room, suffix)
        errors += [error for error in unreadable if error.where not in {earlier.where for earlier in errors}]
    for manifest in paths[home.embeddings, ".json"]:
        if _SHARD.fullmatch(manifest.stem):
            shard = Shard(manifest.parent, manifest.stem)
            checks.append((shard.path, _call(check_shard, shard), _call(quarantine, shard)))
    outcomes = [path for path in paths[home.studies, ".json"] if path.parent == home.studies]
    checks += [(path, _call(read_outcome, path), _call(move_aside, path)) for path in outcomes]
    checks += [(path, _call(check_journal, path), _call(move_aside, path)) for path in paths[home.studies, ".h5"]]
    checks += [(path, _call(read_result, path), _call(move_aside, path)) for path in paths[home.results, ".json"]]
    try:
        checks += [(path, _call(read_json, path, "serab.dataset/1"), None) for path in _indexes(home)]
        checks += [(path, _call(check_weights, path, record), None) for path, record in weight_files(home)]
    except StoreError as error:
        errors.append(error)
    return checks, errors


def _indexes(home: Home) -> list[Path]:
    """Return the index of each prepared corpus. Raises StoreError if the folder cannot be listed."""
    try:
        folders = sorted(home.datasets.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store_error(error, home.datasets, "read") from error
    paths = [folder / "index.json" for folder in folders if folder.name[0] != "."]
    return [path for path in paths if may_exist(path)]


def _call(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)


def waste(home: Home, current: Mapping[str, str], *, older_than_s: float, superseded: bool = False) -> list[Waste]:
    """Return what can be deleted: quarantined files, old downloads, embeddings without a result or an extractor.

    Args:
        home: the home.
        current: fingerprint digests of installed extractors, by name.
        older_than_s: seconds; embeddings that were written more recently are not returned.
        superseded: include embeddings of earlier versions of an extractor, even if they have results.

    Raises:
        StoreError: a result cannot be read, so the embeddings that it needs are not known.
    """
    unneeded = [
        Waste(path, path.stat().st_size, "was damaged, and was quarantined")
        for path in sorted(home.root.rglob("*.bad-*"))
        if _ASIDE.search(path.name) and path.is_file()
    ]
    needed = {digest[:32] for digest in current.values()} | {digest[:32] for digest in _fingerprints(home)}
    for holding in _embeddings(home, current):
        if time.time() - holding.used <= older_than_s:
            continue
        if superseded and holding.superseded:
            reason = f"embeddings of an earlier version of {holding.name}"
        elif holding.folder.name not in needed:
            reason = f"embeddings of a version of {holding.name} that has no result and is not installed"
        else:
            continue
        unneeded.append(Waste(holding.folder, holding.size, reason))
    unneeded += [
        Waste(path, path.stat().st_size, "is the cached digest of a file that was deleted or has changed")
        for path in outdated_records()
    ]
    downloads = [_holding(DOWNLOADS, folder.name, folder) for folder in _folders(home.downloads)]
    return unneeded + [
        Waste(download.folder, download.size, f"is a download of {download.name} that was not used for a week")
        for download in downloads
        if time.time() - download.used > PARTIAL_AGE_S
    ]


def clear(home: Home, items: Collection[Waste]) -> None:
    """Delete the items, and the incomplete files of killed processes. Raises StoreError."""
    for item in items:
        try:
            if item.path.is_dir():
                remove_folder(item.path)
            else:
                item.path.unlink(missing_ok=True)
        except OSError as error:
            raise store_error(error, item.path, "removed") from error
    sweep(home.root)
    sweep_downloads(home.weights / DOWNLOADS)


def _fingerprints(home: Home) -> Iterator[str]:
    """Yield the fingerprint digests of stored results. Raises StoreError for a result that cannot be read."""
    for path in raise_first(files_below(home.results, ".json")):
        with contextlib.suppress(ContentError, KeyError, TypeError, AttributeError):
            result = read_result(path)
            yield digest(dict(result.provenance["fingerprint"]))


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _holding(room: str, name: str, folder: Path) -> Holding:
    files = size = 0
    used = 0.0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.is_file():
                files, size, used = files + 1, size + status.st_size, max(used, status.st_mtime)
    return Holding(room, name, files, size, used, folder)
