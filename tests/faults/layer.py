"""A layer under the calls of a process that change files below a folder: each is reported before and after it happens.

Reads are not reported, for they change nothing: an end before a read leaves what an end before the next change leaves.
"""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from serab_core.store import durable

NAMING = ("mkdir", "rmdir", "rename", "replace", "unlink", "remove", "link", "symlink")
TOUCHING = ("utime", "chmod", "truncate")


@dataclass(frozen=True)
class Call:
    """A call: its name, the paths that it names, and for a write the content that the file has then."""

    name: str
    paths: tuple[str, ...]


class Watched:
    """A file that is open for writing; each write is reported."""

    def __init__(self, file, layer):
        self._file, self._layer = file, layer

    def write(self, content):
        path = of_handle(self._file.fileno())
        if path is None or not self._layer.is_inside(path):
            return self._file.write(content)
        with self._layer.reported(Call("write", (path,)), halfway=lambda: self._write(content[: len(content) // 2])):
            return self._write(content)

    def _write(self, content):
        count = self._file.write(content)
        self._file.flush()
        return count

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __iter__(self):
        return iter(self._file)

    def __getattr__(self, name):
        return getattr(self._file, name)


def of_handle(handle: int) -> str | None:
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:
        return None


def resolved(path, dir_fd=None) -> str:
    text = os.fsdecode(path)
    if not os.path.isabs(text):
        text = os.path.join(of_handle(dir_fd) if dir_fd is not None else os.getcwd(), text)
    return os.path.normpath(text)


class Layer:
    """What is below `root` and who is told: `before(call, halfway)` and `after(call)`."""

    def __init__(self, root: Path, before: Callable, after: Callable):
        self._root, self._before, self._after = str(root), before, after
        self._lock = threading.RLock()  # files are flushed by several threads

    def is_inside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + os.sep)

    @contextmanager
    def reported(self, call: Call, halfway: Callable = lambda: None) -> Iterator[None]:
        with self._lock:
            self._before(call, halfway)
            yield
            self._after(call)

    @contextmanager
    def below(self) -> Iterator[None]:
        real_open, real_os_open = io.open, os.open
        exchange = durable._renameat2()

        def naming(name, real):
            def call(*arguments, **named):
                fds = (named.get("dir_fd") or named.get("src_dir_fd"), named.get("dst_dir_fd"))
                count = 1 if name in ("mkdir", "rmdir", "unlink", "remove", *TOUCHING) else 2
                if isinstance(arguments[0], int):
                    return real(*arguments, **named)
                paths = tuple(resolved(path, fd) for path, fd in zip(arguments[:count], fds, strict=False))
                if name == "symlink":
                    paths = (resolved(arguments[1]),)
                if not any(self.is_inside(path) for path in paths):
                    return real(*arguments, **named)
                with self.reported(Call(name, paths)):
                    return real(*arguments, **named)

            return call

        def flushing(handle, real):
            path = of_handle(handle if isinstance(handle, int) else handle.fileno())
            if path is None or not self.is_inside(path):
                return real(handle)
            with self.reported(Call("fsync", (path,))):
                return real(handle)

        def exchanged(from_fd, first, to_fd, second, flags):
            with self.reported(Call("exchange", (resolved(first), resolved(second)))):
                return exchange(from_fd, first, to_fd, second, flags)

        def os_opened(path, flags, mode=0o777, *, dir_fd=None):
            name = resolved(path, dir_fd)
            if not flags & (os.O_CREAT | os.O_TRUNC) or not self.is_inside(name):
                return real_os_open(path, flags, mode, dir_fd=dir_fd)
            with self.reported(Call("create", (name,))):
                return real_os_open(path, flags, mode, dir_fd=dir_fd)

        def opened(file, mode="r", *arguments, **named):
            if isinstance(file, int) or not set(mode) & set("wax+"):
                return real_open(file, mode, *arguments, **named)
            name = resolved(file)
            if not self.is_inside(name):
                return real_open(file, mode, *arguments, **named)
            if named.get("opener") is not None or not set(mode) & set("wax"):
                return Watched(real_open(file, mode, *arguments, **named), self)
            with self.reported(Call("create", (name,))):
                return Watched(real_open(file, mode, *arguments, **named), self)

        def os_written(handle, content, real):
            path = of_handle(handle)
            if path is None or not self.is_inside(path):
                return real(handle, content)
            with self.reported(Call("write", (path,))):
                return real(handle, content)

        with pytest.MonkeyPatch.context() as patch:
            for name in (*NAMING, *TOUCHING):
                patch.setattr(os, name, naming(name, getattr(os, name)))
            for name, real in (("fsync", os.fsync), ("fdatasync", os.fdatasync)):
                patch.setattr(os, name, lambda handle, real=real: flushing(handle, real))
            patch.setattr(os, "write", lambda handle, content, real=os.write: os_written(handle, content, real))
            patch.setattr(os, "open", os_opened)
            patch.setattr(io, "open", opened)
            patch.setattr(builtins, "open", opened)
            if exchange is not None:
                patch.setattr(durable, "_renameat2", lambda: exchanged)
            yield
