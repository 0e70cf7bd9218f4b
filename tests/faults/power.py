"""A disk that keeps writes back: what a process does to a folder, and what a power cut would leave of that.

As POSIX allows it: the content of a file is safe once the file was flushed, and a name in a folder once the folder was.
Until then a file may be empty, cut, garbage or whole, and each change of a folder's names may have happened or not; the
changes of one call happen together. SQLite's tests of crashes model the disk in this way.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.layer import Call

ROOT = 0


@dataclass
class Tree:
    """Files and folders by number; the names in each folder; the content of each file."""

    folders: dict[int, dict[str, int]] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)


class Recorder:
    """Follows the calls below a folder, and notes what each changes."""

    def __init__(self, root: Path):
        self._root = str(root)
        self._numbers = itertools.count()
        self.before = Tree()
        self._live = Tree()
        self.events: list[tuple] = []
        self._scan(str(root))
        self._live = Tree({n: dict(names) for n, names in self.before.folders.items()}, {}, {})

    def _scan(self, path: str) -> int:
        number = next(self._numbers)
        if os.path.islink(path):
            self.before.links[number] = os.readlink(path)
        elif os.path.isdir(path):
            self.before.folders[number] = {}
            for name in sorted(os.listdir(path)):
                self.before.folders[number][name] = self._scan(os.path.join(path, name))
        else:
            self.before.files[number] = Path(path).read_bytes()
        return number

    def _find(self, path: str) -> tuple[int, str, int | None]:
        """The folder, the name in it, and what has the name."""
        parts = os.path.relpath(path, self._root).split(os.sep)
        if parts == ["."]:
            return ROOT, "", ROOT
        folder = ROOT
        for part in parts[:-1]:
            folder = self._live.folders[folder][part]
        return folder, parts[-1], self._live.folders[folder].get(parts[-1])

    def _name(self, *changes: tuple[int, str, int | None]) -> None:
        """Note that names in folders change together."""
        for folder, name, number in changes:
            if number is None:
                self._live.folders[folder].pop(name, None)
            else:
                self._live.folders[folder][name] = number
        self.events.append(("names", changes))

    def before_call(self, call: Call, halfway) -> None:
        self._existed = [os.path.lexists(path) for path in call.paths]

    def after_call(self, call: Call) -> None:
        if call.name == "exchange" and not os.path.lexists(call.paths[1]):
            return
        getattr(self, f"_{call.name}", self._nothing)(*call.paths)

    def _nothing(self, *paths: str) -> None:
        self.events.append(("nothing",))

    def _create(self, path: str) -> None:
        folder, name, number = self._find(path)
        if number is None:
            number = next(self._numbers)
            self._name((folder, name, number))
        self.events.append(("content", number, Path(path).read_bytes()))

    def _write(self, path: str) -> None:
        self.events.append(("content", self._find(path)[2], Path(path).read_bytes()))

    def _truncate(self, path: str) -> None:
        self._write(path)

    def _mkdir(self, path: str) -> None:
        folder, name, _ = self._find(path)
        number = next(self._numbers)
        self._live.folders[number] = {}
        self.events.append(("folder", number))
        self._name((folder, name, number))

    def _symlink(self, path: str) -> None:
        folder, name, _ = self._find(path)
        number = next(self._numbers)
        self.events.append(("link", number, os.readlink(path)))
        self._name((folder, name, number))

    def _unlink(self, path: str) -> None:
        folder, name, _ = self._find(path)
        self._name((folder, name, None))

    _remove = _rmdir = _unlink

    def _rename(self, old: str, new: str) -> None:
        folder, name, number = self._find(old)
        target, target_name, _ = self._find(new)
        self._name((folder, name, None), (target, target_name, number))

    _replace = _rename

    def _exchange(self, first: str, second: str) -> None:
        folder, name, number = self._find(first)
        target, target_name, other = self._find(second)
        self._name((folder, name, other), (target, target_name, number))

    def _fsync(self, path: str) -> None:
        if os.path.isdir(path):
            self.events.append(("flush folder", self._find(path)[2]))
        elif os.path.lexists(path):
            self.events.append(("flush file", self._find(path)[2], Path(path).read_bytes()))


@dataclass(frozen=True)
class Cut:
    """How much of what was not flushed is on the disk after a power cut.

    Attributes:
        names: the part of the changes of names; `content`: empty, cut, garbage or whole.
    """

    names: float
    content: str


CUTS = (Cut(0.0, "empty"), Cut(1.0, "empty"), Cut(1.0, "garbage"), Cut(0.5, "cut"), Cut(0.5, "whole"))


def after_power_cut(before: Tree, events: list[tuple], cut: Cut, draw: random.Random) -> Tree:
    """What is on the disk after a power cut behind these events."""
    safe = Tree({n: dict(names) for n, names in before.folders.items()}, dict(before.files), dict(before.links))
    latest: dict[int, bytes] = dict(before.files)
    pending: list[tuple[tuple[int, str, int | None], ...]] = []

    def apply(changes) -> None:
        for folder, name, number in changes:
            names = safe.folders.setdefault(folder, {})
            if number is None:
                names.pop(name, None)
            else:
                names[name] = number

    for kind, *rest in events:
        if kind == "names":
            pending.append(rest[0])
        elif kind == "content":
            latest[rest[0]] = rest[1]
        elif kind == "folder":
            safe.folders[rest[0]] = {}
        elif kind == "link":
            safe.links[rest[0]] = rest[1]
        elif kind == "flush file":
            latest[rest[0]] = safe.files[rest[0]] = rest[1]
        elif kind == "flush folder":
            for changes in pending:
                if any(folder == rest[0] for folder, _, _ in changes):
                    apply(changes)
            pending = [changes for changes in pending if not any(folder == rest[0] for folder, _, _ in changes)]
    for changes in pending:
        if draw.random() < cut.names:
            apply(changes)
    for number, content in latest.items():
        if safe.files.get(number) != content:
            safe.files[number] = {
                "empty": b"",
                "cut": content[: len(content) // 2],
                "garbage": draw.randbytes(len(content)),
                "whole": content,
            }[cut.content]
    return safe


def build(tree: Tree, root: Path) -> None:
    """Make the folder `root` what a tree says."""
    shutil.rmtree(root)
    _build(tree, ROOT, root)


def _build(tree: Tree, number: int, path: Path) -> None:
    if number in tree.folders:
        path.mkdir()
        for name, child in tree.folders[number].items():
            _build(tree, child, path / name)
    elif number in tree.links:
        path.symlink_to(tree.links[number])
    else:
        path.write_bytes(tree.files.get(number, b""))


def cuts_of(events: list[tuple], points: list[int]) -> Iterator[tuple[int, Cut]]:
    """Each point of an event list with each kind of cut."""
    return itertools.product(points, CUTS)
