"""The weight files that extractors load: import, records and paths."""

from __future__ import annotations

import hashlib
import tarfile
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from serab_core.errors import ContentError, WeightsError, store_error
from serab_core.store import codec
from serab_core.store.atomic import replacing, replacing_folder, scratch_folder
from serab_core.store.home import find_home
from serab_core.store.jsonio import write_json
from serab_core.store.reading import file_exists
from serab_core.system.hints import command, option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import WeightFile

SCHEMA = "serab.weights/1"
AGREED_SCHEMA = "serab.agreed-terms/1"


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """The record of a weight file in the home.

    Attributes:
        source: the address or file that it came from.
        source_sha256: sha256 of the published file, which fingerprints contain.
        source_size: size of the published file, in bytes.
        sha256: sha256 of the stored file, which the extractor loads.
        licence: the licence that was shown.
        taken_in: the time of the import, ISO 8601.
    """

    source: str
    source_sha256: str
    source_size: int
    sha256: str
    licence: str
    taken_in: str


class Replacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `WeightRecord`, as they are stored."""

    source: str
    source_sha256: str
    source_size: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
    sha256: str
    licence: str
    taken_in: str


class RecordDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record of a weight file, as it is stored.

    Attributes:
        replacement: the record of a new file; it is stored before that file replaces the weight file, and until the
            new file's record is written.
    """

    schema: Literal["serab.weights/1"]
    source: str
    source_sha256: str
    source_size: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
    sha256: str
    licence: str
    taken_in: str
    replacement: Replacement | None = None


class AgreedDocument(msgspec.Struct, frozen=True):
    """The terms that the user has accepted, by their sha256."""

    schema: Literal["serab.agreed-terms/1"]
    agreed: dict[str, dict[str, str]]


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file. Raises StoreError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise store_error(error, path, "read") from error


def content_sha256(path: Path, sha256_of: Callable[[Path], str] = file_sha256) -> str:
    """Return the sha256 of a file, or of the names and sha256 of all files in a folder. Raises StoreError.

    Args:
        path: the file or folder.
        sha256_of: returns the sha256 of one file.
    """
    if not path.is_dir():
        return sha256_of(path)
    total = hashlib.sha256()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        total.update(f"{file.relative_to(path).as_posix()}\n{sha256_of(file)}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def weight_record(home: Home, weight: WeightFile) -> WeightRecord | None:
    """Return the record of a weight file; None if the file is missing.

    Raises:
        StoreError: its record cannot be read.
        ContentError: its record is damaged.
    """
    record, path = _record(home, weight), _path(home, weight)
    if not file_exists(record) or not file_exists(path):
        return None
    return _recorded(record, path)


def _recorded(record: Path, path: Path) -> WeightRecord:
    """Return the record of the file at `path`; after an interrupted replacement, the one that matches the file."""
    try:
        document = codec.read(record, RecordDocument)
    except ContentError as error:
        raise ContentError(error.what, where=record, next_step="fetch or import the weights again") from error
    replacement = document.replacement
    if replacement is not None and content_sha256(path) == replacement.sha256:
        return WeightRecord(**msgspec.structs.asdict(replacement))
    fields = msgspec.structs.asdict(document)
    return WeightRecord(**{name: fields[name] for name in Replacement.__struct_fields__})


def published_sha256(weight: WeightFile) -> str:
    """Return the sha256 of the published file: the one that its plugin declares, or else that of the imported file.

    Raises:
        WeightsError: the plugin does not declare it, and no file was imported.
    """
    if weight.sha256 is not None:
        return weight.sha256
    record = weight_record(find_home(), weight)
    if record is None:
        raise WeightsError(f"{weight.name} is missing", where=str(find_home().weights))
    return record.source_sha256


def weights_path(weight: WeightFile) -> Path:
    """Return the path of a weight file; factories of extractors call this.

    Raises:
        WeightsError: the file is missing, or has changed since it was imported.
    """
    home = find_home()
    record = weight_record(home, weight)
    path = _path(home, weight)
    if record is None:
        raise WeightsError(f"{weight.name} is missing", where=str(home.weights))
    if content_sha256(path) != record.sha256:
        raise WeightsError(
            "has changed since it was imported",
            where=path,
            next_step="remove it, then fetch or import the weights again",
        )
    return path


def require_weights(home: Home, extractor: str, weights: Sequence[WeightFile]) -> None:
    """Check that an extractor's weights are in the home.

    Raises:
        WeightsError: a file is missing; the message gives its name, size and address, and how to import it.
    """
    for weight in weights:
        if weight_record(home, weight) is None:
            raise WeightsError(
                f"its weights are missing: {describe(weight)}",
                where=extractor,
                next_step=f"run {command('weights fetch', extractor)}, or download {weight.url} yourself and run "
                f"{command('weights import', extractor, 'FILE')}; serab stores it in {home.weights}",
            )


def weight_files(home: Home) -> list[tuple[Path, Path]]:
    """Return every weight file that has a record, with the record. Raises StoreError if the folder is unreadable."""
    try:
        records = [path for path in home.weights.iterdir() if path.suffix == ".json" and path.name[0] != "."]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store_error(error, home.weights, "read") from error
    return [(record.with_suffix(""), record) for record in sorted(records)]


def check_weights(path: Path, record: Path) -> None:
    """Check that a weight file matches its record. A JSON file of another kind is not a record, and is ignored.

    Raises:
        StoreError: the file or its record cannot be read.
        ContentError: either is damaged, or the file is missing.
    """
    try:
        content = _recorded(record, path)
    except ContentError as error:
        if file_exists(path) or record.stat().st_size == 0:
            raise ContentError(f"has a damaged record: {record.name} {error.what}", where=path) from error
        return
    if not file_exists(path):
        raise ContentError("is missing, and its record exists", where=path)
    if content_sha256(path) != content.sha256:
        raise ContentError("has changed since it was imported", where=path)


def describe(weight: WeightFile) -> str:
    """Return a description of the published file: its name, size, sha256 and licence."""
    size = f"{weight.size:,} bytes" if weight.size is not None else "size not known beforehand"
    sha256 = f"sha256 {weight.sha256}" if weight.sha256 else "sha256 recorded at first use"
    return f"{weight.published} ({size}; {sha256}; licence {weight.licence or 'unknown'})"


def import_weights(home: Home, weight: WeightFile, source: Path, origin: str, *, replace: bool = False) -> WeightRecord:
    """Check a published file, convert it, and store the result.

    Args:
        home: the home.
        weight: the declaration of the file.
        source: the file, or a folder if the declaration asks for a folder.
        origin: the address or path to record.
        replace: accept a file that differs from the one recorded at first use.

    Raises:
        WeightsError: it is another file, or cannot be converted. Nothing is stored then.
        StoreError: it cannot be read or stored.
    """
    if source.is_dir():
        if not weight.folder:
            raise WeightsError("is a folder", where=origin, next_step=f"name the file: {describe(weight)}")
        with scratch_folder(home.weights) as scratch:
            _pack(source, scratch / "folder.tar")
            return import_weights(home, weight, scratch / "folder.tar", origin, replace=replace)
    sha256 = file_sha256(source)
    wanted, source_of_digest = weight.sha256, "its plugin"
    if wanted is None and not replace and (before := weight_record(home, weight)) is not None:
        wanted, source_of_digest = before.source_sha256, f"{before.source}, imported {before.taken_in}"
    if wanted is not None and sha256 != wanted:
        raise WeightsError(
            f"is not {describe(weight)}: its sha256 is {sha256}, that of {source_of_digest} is {wanted}",
            where=origin,
            next_step="download it again; note that GitHub's page of a file is not the file itself"
            if weight.sha256
            else f"if the new file is the right one, add {option('replace')}",
        )
    path = _path(home, weight)
    try:
        with (replacing_folder if weight.folder else replacing)(path) as temporary:
            if weight.convert is None:
                temporary.write_bytes(source.read_bytes())
            else:
                weight.convert(source, temporary)
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            size = source.stat().st_size
            record = WeightRecord(origin, sha256, size, content_sha256(temporary), weight.licence, now)
            _announce(home, weight, record)
    except ValueError as error:
        raise WeightsError(
            f"cannot be used as {weight.name}: {error}", where=origin, next_step=f"it should be {describe(weight)}"
        ) from error
    write_json(_record(home, weight), {"schema": SCHEMA, **asdict(record)})
    return record


def _announce(home: Home, weight: WeightFile, replacement: WeightRecord) -> None:
    """Store in the record of an existing weight file which file is about to replace it. Raises StoreError."""
    try:
        present = weight_record(home, weight)
    except ContentError:  # the record is damaged; the one of the new file replaces it
        return
    if present is not None and present.sha256 != replacement.sha256:
        record = {"schema": SCHEMA, **asdict(present), "replacement": asdict(replacement)}
        write_json(_record(home, weight), record)


def _pack(folder: Path, target: Path) -> None:
    """Write a folder as a tar file that depends only on names and contents."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime = info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mode = 0o644
        return info

    with tarfile.open(target, "w") as tar:
        for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            tar.add(path, path.relative_to(folder).as_posix(), filter=plain)


def agree(home: Home, weight: WeightFile, ask: Callable[[WeightFile], bool]) -> None:
    """Ask the user to accept the terms of a file, once for all files with the same terms.

    Args:
        home: the home, which records the acceptance.
        weight: the file.
        ask: shows the terms and returns whether the user accepts them.

    Raises:
        WeightsError: the user does not accept them.
    """
    if not weight.terms:
        return
    path = home.weights / "agreed-terms.json"
    agreed = dict(codec.read(path, AgreedDocument).agreed) if file_exists(path) else {}
    key = hashlib.sha256(weight.terms.encode()).hexdigest()
    if key in agreed:
        return
    if not ask(weight):
        raise WeightsError(
            f"has terms that were not accepted ({weight.licence})",
            where=weight.name,
            next_step=f"read them, and add {option('accept-licence')} if you accept them",
        )
    agreed[key] = {"licence": weight.licence, "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    write_json(path, {"schema": AGREED_SCHEMA, "agreed": agreed})


def _path(home: Home, weight: WeightFile) -> Path:
    return home.weights / weight.name


def _record(home: Home, weight: WeightFile) -> Path:
    return home.weights / f"{weight.name}.json"
