"""The files that extractors load: taking one in, knowing which one is there, finding it again."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import WeightFile

SCHEMA = "serab.weights/1"
AGREED_SCHEMA = "serab.agreed-terms/1"


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """A weight file that is there.

    Attributes:
        source: the address or file it came from.
        source_sha256: of the file as it was published: what fingerprints name.
        source_size: of that, in bytes.
        sha256: of the file as it is kept, which is what the extractor loads.
        licence: as it was shown.
        taken_in: when, ISO 8601.
    """

    source: str
    source_sha256: str
    source_size: int
    sha256: str
    licence: str
    taken_in: str


class Replacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `WeightRecord`, as they are written."""

    source: str
    source_sha256: str
    source_size: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
    sha256: str
    licence: str
    taken_in: str


class RecordDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record of a weight file, as it is written.

    Attributes:
        replacement: another file, from before it takes the weight file's name until its own record is written.
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
    """The terms that the user agreed to, by their sha256."""

    schema: Literal["serab.agreed-terms/1"]
    agreed: dict[str, dict[str, str]]


def file_sha256(path: Path) -> str:
    """sha256 of a file. Raises StoreError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise store_error(error, path, "read") from error


def content_sha256(path: Path, sha256_of: Callable[[Path], str] = file_sha256) -> str:
    """sha256 of a file, or of the names and sha256 of all files in a folder. Raises StoreError.

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
    """What is known of the weight file, or None where it is not there.

    Raises:
        StoreError: its record cannot be read.
        ContentError: its record is damaged.
    """
    record, path = _record(home, weight), _path(home, weight)
    if not file_exists(record) or not file_exists(path):
        return None
    return _recorded(record, path)


def _recorded(record: Path, path: Path) -> WeightRecord:
    """What a record says of the file at `path`: where its replacement was interrupted, of the one that is there."""
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
    """sha256 of the published file: what its plugin says, else that of the file which was taken in.

    Raises:
        WeightsError: the plugin does not say, and no file is there.
    """
    if weight.sha256 is not None:
        return weight.sha256
    record = weight_record(find_home(), weight)
    if record is None:
        raise WeightsError(f"{weight.name} is not there", where=str(find_home().weights))
    return record.source_sha256


def weights_path(weight: WeightFile) -> Path:
    """Where the file is that an extractor loads; its factory asks.

    Raises:
        WeightsError: it is not there, or is not what it was when it was taken in.
    """
    home = find_home()
    record = weight_record(home, weight)
    path = _path(home, weight)
    if record is None:
        raise WeightsError(f"{weight.name} is not there", where=str(home.weights))
    if content_sha256(path) != record.sha256:
        raise WeightsError(
            "has changed since it was taken in",
            where=path,
            next_step="remove it, then fetch or import the weights again",
        )
    return path


def require_weights(home: Home, extractor: str, weights: Sequence[WeightFile]) -> None:
    """Makes sure that an extractor's weights are there.

    Raises:
        WeightsError: a file is missing; says which, how large, where from and how to bring it in.
    """
    for weight in weights:
        if weight_record(home, weight) is None:
            raise WeightsError(
                f"its weights are not here: {describe(weight)}",
                where=extractor,
                next_step=f"`serab weights fetch {extractor}`, or download {weight.url} yourself and "
                f"`serab weights import {extractor} FILE`; it will be kept in {home.weights}",
            )


def weight_files(home: Home) -> list[tuple[Path, Path]]:
    """Every weight file that has a record, and the record. Raises StoreError where the folder cannot be listed."""
    try:
        records = [path for path in home.weights.iterdir() if path.suffix == ".json" and path.name[0] != "."]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store_error(error, home.weights, "read") from error
    return [(record.with_suffix(""), record) for record in sorted(records)]


def check_weights(path: Path, record: Path) -> None:
    """Check that a weight file is what its record says. A JSON file of another kind is no record, and is left out.

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
        raise ContentError("is gone, and its record is there", where=path)
    if content_sha256(path) != content.sha256:
        raise ContentError("has changed since it was taken in", where=path)


def describe(weight: WeightFile) -> str:
    """The published file in words: its name, size, sha256 and licence."""
    size = f"{weight.size:,} bytes" if weight.size is not None else "size not known beforehand"
    sha256 = f"sha256 {weight.sha256}" if weight.sha256 else "sha256 recorded at first use"
    return f"{weight.published} ({size}; {sha256}; licence {weight.licence or 'unknown'})"


def import_weights(home: Home, weight: WeightFile, source: Path, origin: str, *, replace: bool = False) -> WeightRecord:
    """Checks a published file, converts it, and keeps the result.

    Args:
        home: the home.
        weight: what it should be.
        source: the file, or a folder where that is what is kept.
        origin: the address or path to note down.
        replace: take a file that differs from the one recorded at first use.

    Raises:
        WeightsError: it is another file, or cannot be converted. Nothing is kept then.
        StoreError: it cannot be read or kept.
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
        wanted, source_of_digest = before.source_sha256, f"{before.source}, taken in {before.taken_in}"
    if wanted is not None and sha256 != wanted:
        raise WeightsError(
            f"is not {describe(weight)}: its sha256 is {sha256}, that of {source_of_digest} is {wanted}",
            where=origin,
            next_step="download it again, and mind that GitHub's page of a file is not the file"
            if weight.sha256
            else "if the new file is the right one: --replace",
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
    """Note in the record of a weight file that is there which file is about to replace it. Raises StoreError."""
    try:
        present = weight_record(home, weight)
    except ContentError:  # the record is damaged; the one of the new file replaces it
        return
    if present is not None and present.sha256 != replacement.sha256:
        record = {"schema": SCHEMA, **asdict(present), "replacement": asdict(replacement)}
        write_json(_record(home, weight), record)


def _pack(folder: Path, target: Path) -> None:
    """A folder as a tar that depends on names and contents alone."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime = info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mode = 0o644
        return info

    with tarfile.open(target, "w") as tar:
        for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            tar.add(path, path.relative_to(folder).as_posix(), filter=plain)


def agree(home: Home, weight: WeightFile, ask: Callable[[WeightFile], bool]) -> None:
    """Asks for a yes to the file's terms, once for all files on the same terms.

    Args:
        home: the home, where the yes is noted down.
        weight: the file.
        ask: shows the terms and returns whether they are agreed to.

    Raises:
        WeightsError: they are not.
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
            f"comes on terms that were not agreed to ({weight.licence})",
            where=weight.name,
            next_step="read them, and add --accept-licence if you agree",
        )
    agreed[key] = {"licence": weight.licence, "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    write_json(path, {"schema": AGREED_SCHEMA, "agreed": agreed})


def _path(home: Home, weight: WeightFile) -> Path:
    return home.weights / weight.name


def _record(home: Home, weight: WeightFile) -> Path:
    return home.weights / f"{weight.name}.json"
