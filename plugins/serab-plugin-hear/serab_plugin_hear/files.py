"""The files that a module's embeddings depend on: its code, its imports, and the files that it reads."""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

from serab_core.plugin import POINTER_BYTES, digest, known_sha256, require_intact, require_no_pointer, store_error

_WEIGHTS = (
    ".bin", ".ckpt", ".h5", ".hdf5", ".joblib", ".keras", ".mat", ".npy", ".npz", ".onnx", ".pb", ".pickle", ".pkl",
    ".pt", ".pth", ".safetensors", ".tflite",
)  # fmt: skip
_SETTINGS = (".cfg", ".csv", ".ini", ".json", ".py", ".toml", ".txt", ".yaml", ".yml")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LIBRARY = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
_INSTALLED = ("site-packages", "dist-packages")


class ReadFiles:
    """Recorder of the files that this process opens for reading, from its creation on.

    Native code (safetensors, TensorFlow) opens files without an audit event, so those files are not recorded.
    """

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._start = time.time()
        sys.addaudithook(self._note)

    def beside(self, folder: Path) -> set[Path]:
        """Return the recorded weight files in any folder, and the recorded settings files below `folder`.

        Files that the process itself wrote are left out.
        """
        paths = set()
        for path in map(Path, list(self._paths)):
            wanted = path.suffix in _WEIGHTS or (path.suffix in _SETTINGS and path.is_relative_to(folder))
            with contextlib.suppress(OSError):
                if wanted and not _is_installed(path) and path.is_file() and path.stat().st_mtime < self._start:
                    paths.add(path)
        return paths

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        if isinstance(path, (str, bytes, os.PathLike)) and isinstance(flags, int) and not flags & _WRITING:
            with contextlib.suppress(Exception):  # an audit hook that raises would make `open` fail
                self._paths.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100  fast, and does not access the file


def in_package(module: str, file: Path) -> bool:
    """Return whether a module is a package, or is inside a package."""
    return not module.endswith(".py") and ("." in module or file.name == "__init__.py")


def module_folder(module: str, file: Path) -> Path:
    """Return the folder of a module that is named by its file, or of the top-level package of a dotted name."""
    levels = module.count(".") + (file.name == "__init__.py") if in_package(module, file) else 0
    return file.absolute().parents[max(0, levels - 1)]


def imported_files(folder: Path, is_package: bool) -> set[Path]:
    """Return the files of the user's modules: those in `folder`, and others that are not installed.

    Args:
        folder: folder of the module.
        is_package: whether all files in `folder` belong to the module, even if it is installed.
    """
    serab = [
        Path(str(sys.modules[name].__file__)).parent
        for name in ("serab_core", "serab_registry", __package__)
        if name in sys.modules  # the process of the module does not import serab_registry
    ]
    paths = set()
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or not Path(name).is_file():
            continue
        path = Path(name).absolute()
        if any(path.is_relative_to(package) for package in serab):
            continue
        if (is_package and path.is_relative_to(folder)) or not _is_installed(path):
            paths.add(path)
    return paths


def hashes(paths: set[Path]) -> dict[str, str]:
    """Return the sha256 of each file by its path. Raises StoreError."""
    return {str(path): known_sha256(path) for path in sorted(paths)}


def unchanged(known: dict[str, str]) -> bool:
    """Return whether every file still has the sha256 that `hashes` returned."""
    return all(Path(path).is_file() and known_sha256(Path(path)) == sha256 for path, sha256 in known.items())


def content_digest(known: dict[str, str], folder: Path) -> str:
    """Return one sha256 for the result of `hashes`. It does not change when the whole folder is moved."""
    entries = []
    for name, sha256 in known.items():
        path = Path(name)
        entries.append([path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name, sha256])
    return digest(sorted(entries))


def check_weights(path: Path) -> None:
    """Raise WeightsError if a weight file, or a file in a folder of weights, is empty, truncated or a pointer."""
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()) if path.is_dir() else [path]:
        if file.suffix in _WEIGHTS:
            require_intact(file)
            continue
        try:
            with file.open("rb") as opened:
                require_no_pointer(file, opened.read(POINTER_BYTES))
        except OSError as error:
            raise store_error(error, file, "read") from error


def _is_installed(path: Path) -> bool:
    """Return whether a file belongs to Python or an installed distribution, whose version is recorded elsewhere."""
    if any(part in _INSTALLED for part in path.parts):
        return True
    return any(path.is_relative_to(root) for root in _LIBRARY)
