"""The identity of a plugin's code: a digest of its files. Nothing is imported."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import stat
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from serab_registry._records import PluginRecord

LARGE_BYTES = 1 << 20  # bytes; the digests of larger files are cached in this process by path, size, time and inode
_IGNORED_FOLDERS = frozenset(
    {"__pycache__", ".git", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
)
_IGNORED_SUFFIXES = (".pyc", ".pyo", "~", ".swp", ".tmp", ".orig", ".rej")
_large: dict[tuple[str, int, int, int], str] = {}


@dataclass(frozen=True, slots=True)
class CodeIdentity:
    """The identity of a plugin's code.

    Attributes:
        distribution: the normalised name of the distribution that installed it; "" if unknown.
        version: the version of the distribution; "" if unknown.
        digest: sha256 over the names and contents of the plugin's files; "" if there are no files.
    """

    distribution: str
    version: str
    digest: str


def code_identity(record: PluginRecord) -> CodeIdentity:
    """Return the identity of a plugin's code: all files of its package, and the neighbouring modules that it imports.

    The digest is the same for an installed wheel and for an editable install of the same sources, in any folder. Files
    next to the package count only if the plugin imports them and, in a folder that other distributions share, if they
    belong to the plugin's own distribution.

    Args:
        record: the plugin.

    Raises:
        OSError: one of its files or folders cannot be read.
    """
    return CodeIdentity(record.distribution, record.version, module_digest(record.module, record.distribution))


def module_digest(module: str, distribution: str = "") -> str:
    """Return the sha256 over a module's package and the neighbouring modules that it imports; "" if there is none.

    Args:
        module: its dotted name, optionally followed by `:attribute`.
        distribution: the distribution that installed it; it selects its files in a folder that distributions share.

    Raises:
        OSError: one of its files or folders cannot be read.
    """
    root = module.partition(":")[0].strip().partition(".")[0]
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError, AttributeError):
        return ""
    if spec is None:
        return ""
    if spec.submodule_search_locations:
        places = [Path(place) for place in spec.submodule_search_locations]
    elif spec.origin and Path(spec.origin).is_file():
        places = [Path(spec.origin)]
    else:
        return ""
    return _digest(places, _neighbours(places[0].parent, distribution))


def file_digest(path: Path, folder: Path | None = None) -> str:
    """Return the sha256 over a Python file, and over the neighbouring modules that it imports.

    Args:
        path: the file.
        folder: the folder of the modules that it imports; its own folder by default.

    Raises:
        OSError: one of its files cannot be read.
    """
    return _digest([path], _neighbours(folder or path.parent, ""))


def _neighbours(folder: Path, distribution: str) -> dict[str, Path]:
    """Return the packages and modules of a folder that may belong to a plugin, by name.

    In a folder that distributions share, these are the packages and modules of the plugin's distribution.
    """
    shared = any(folder.glob("*.dist-info")) or any(folder.glob("*.egg-info"))
    names = _top_level(distribution, folder) if shared else None
    neighbours = {}
    for path in folder.iterdir():
        name = path.name.removesuffix(".py")
        is_module = path.suffix == ".py" or (path / "__init__.py").is_file()
        if name.isidentifier() and is_module and (names is None or name in names):
            neighbours[name] = path
    return neighbours


def _top_level(distribution: str, folder: Path) -> frozenset[str]:
    """Return the top-level packages and modules of a distribution, in a folder that distributions share.

    Those that its record lists. If it has no record: all that no other distribution's record lists.
    """
    try:
        files = metadata.files(distribution) if distribution else None
    except metadata.PackageNotFoundError:
        files = None
    if files is not None:
        return _modules(files)
    others = [_modules(other.files or ()) for other in metadata.distributions(path=[str(folder)])]
    return frozenset(path.name.removesuffix(".py") for path in folder.iterdir()).difference(*others)


def _modules(files: Iterable[metadata.PackagePath]) -> frozenset[str]:
    return frozenset(file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py")


def _digest(places: list[Path], neighbours: dict[str, Path]) -> str:
    neighbours = {name: place for name, place in neighbours.items() if place not in places}
    files = {path: path.relative_to(place.parent).as_posix() for place in places for path in _files(place)}
    waiting = list(files) if neighbours else []
    seen: set[Path] = set(places)
    while waiting:
        path = waiting.pop()
        if path.suffix == ".py":
            for place in _imported(path, neighbours) - seen:
                seen.add(place)
                more = {file: file.relative_to(place.parent).as_posix() for file in _files(place)}
                waiting += more.keys() - files.keys()
                files |= more
    total = hashlib.sha256()
    for path, name in sorted(files.items(), key=lambda item: (item[1], str(item[0]))):
        try:
            total.update(f"{name}\0{_sha256(path)}\n".encode("utf-8", "surrogateescape"))
        except FileNotFoundError:
            continue  # deleted since the folder was listed
    return total.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for folder, folders, names in os.walk(place, onerror=_raise_unless_deleted):
        folders[:] = sorted(name for name in folders if name not in _IGNORED_FOLDERS)
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(_IGNORED_SUFFIXES):
                yield Path(folder, name)


def _raise_unless_deleted(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _sha256(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return ""  # reading a named pipe would block
    key = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
    if status.st_size > LARGE_BYTES and key in _large:
        return _large[key]
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if status.st_size > LARGE_BYTES:
        _large[key] = digest
    return digest


def _imported(path: Path, neighbours: dict[str, Path]) -> set[Path]:
    """Return the neighbours that a file imports anywhere. The file is parsed only if it contains a neighbour's name."""
    try:
        content = path.read_bytes()
        near = {name: place for name, place in neighbours.items() if name.encode() in content and place != path}
        names = _imports(ast.parse(content)) if near else set()
    except (SyntaxError, ValueError, OSError, RecursionError):
        return set()
    return {place for name, place in near.items() if name in names}


def _imports(tree: ast.AST) -> set[str]:
    """Return the top-level names that a file imports, and those in its string constants, for `import_module`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value.partition(".")[0])
    return names
