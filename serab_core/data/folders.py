"""Names the copies of a corpus in a source by their folders: the parts of the paths that differ between two copies."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import PurePath
from typing import TYPE_CHECKING

from serab_core.data.archives import ARCHIVE_SUFFIXES, clean_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from serab_core.types import SourceFile

    Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """One copy of a corpus, or of some of its files.

    Attributes:
        parts: the path components that the other copy's files lack; empty for the copy in the top folder.
        places: the absolute paths of the folders that end in these parts.
        relative: `parts` lie below the source that the user named.
    """

    parts: Parts = ()
    places: frozenset[Parts] = field(default=frozenset(), compare=False)
    relative: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        return "/".join(self.parts).replace("//", "/") or "."

    @property
    def shown(self) -> str:
        """The name of the folder in a sentence."""
        return str(self) if self.parts else "the top folder (.)"

    @property
    def option(self) -> str:
        """The value for `--folder`."""
        return shlex.quote(str(self))

    @property
    def path(self) -> str:
        """Its full path, or the first of several, such as a folder `16k` in the folder of each actor."""
        first = str(PurePath(*min(self.places))) if self.places else str(self)
        return first if len(self.places) < 2 else f"{first} (and {len(self.places) - 1} more folders of that kind)"


def location(file: SourceFile) -> tuple[Parts, Parts]:
    """Return the parts of the source that the user named, and those of the file's folder below it.

    An archive counts as a folder.
    """
    root: Parts = PurePath(file.containers[0]).parts if file.containers else PurePath(file.archive).parts
    inner = tuple(part for container in file.containers[1:] for part in container.split("/"))
    return root, (*inner, *file.name.parts[:-1])


def called(file: SourceFile) -> str:
    """Return a file's path below the source that the user named; an archive counts as a folder."""
    return "/".join((*location(file)[1], file.name.name))


def folders_of(groups: Iterable[Sequence[SourceFile]]) -> dict[int, Folder]:
    """Return the folder of each file, by the file's `id()`.

    Two files of an utterance differ by some parts of their paths. A file may differ from the others by several
    parts. The parts that separate most files of the source count, so that one misplaced file does not make a copy.

    Args:
        groups: the files of each utterance that has several.
    """
    votes: Counter[Parts] = Counter()
    options: dict[int, set[tuple[Parts, Parts]]] = defaultdict(set)
    several = [list(group) for group in groups if len(group) > 1]
    for group in several:
        for first, second in combinations(group, 2):
            for file, difference in zip((first, second), _difference(first, second), strict=True):
                votes[difference[0]] += 1
                options[id(file)].add(difference)
    best = {
        number: max(differences, key=lambda option: (votes[option[0]], len(option[0]), option))
        for number, differences in options.items()
    }
    present: Counter[Parts] = Counter()
    clashes: Counter[Parts] = Counter()  # utterances with two files in one assumed folder
    for group in several:
        counts = Counter(best[id(file)][0] for file in group)
        present.update(counts.keys())
        clashes.update(label for label, count in counts.items() if count > 1)
    relative: dict[Parts, bool] = {}
    places: dict[Parts, set[Parts]] = defaultdict(set)
    assigned: dict[int, Parts] = {}
    for file in (file for group in several for file in group):
        root, below = location(file)
        label, place = best[id(file)]
        if 2 * clashes[label] >= present[label]:  # the label is ambiguous: use whole paths
            label, place = below, (*root, *below)
        assigned[id(file)] = label
        places[label].add(place)
        relative[label] = len(place) - len(label) >= len(root)
    by_label = {label: Folder(label, frozenset(places[label]), relative[label]) for label in places}
    return {number: by_label[label] for number, label in assigned.items()}


def _difference(file: SourceFile, other_file: SourceFile) -> tuple[tuple[Parts, Parts], tuple[Parts, Parts]]:
    """Return, for each of two files, the parts of its folder that the other lacks, and the path that ends in them."""
    (root, below), (other_root, other_below) = location(file), location(other_file)
    first, second = (*root, *below), (*other_root, *other_below)
    for _ in range(min(len(below), len(other_below))):
        if first[-1] != second[-1]:
            break
        first, second = first[:-1], second[:-1]
    common = 0
    while common < min(len(first), len(second)) and first[common] == second[common]:
        common += 1
    return (first[common:], first), (second[common:], second)


def holds(folder: Folder, file: SourceFile) -> bool:
    """Whether a file lies in a folder."""
    root, below = location(file)
    if folder.parts:
        return _has_run(below if folder.relative else (*root, *below), folder.parts)
    return any((*root, *below)[: len(place)] == place for place in folder.places)


def named_by(option: str, file: SourceFile) -> bool:
    """Whether a file lies in the folder that the user named: below the source, or by its full path."""
    root, below = location(file)
    if option == ".":
        return not below
    wanted = clean_name(option).parts
    return _has_run(below, wanted) or _has_run((*root, *below), wanted)


def sibling_of(file: SourceFile, siblings: Mapping[str, str], *, with_root: bool) -> str:
    """Return the declared sibling that a file lies in, "" for no sibling. An archive of that name counts as the folder.

    Args:
        file: the file.
        siblings: see `DatasetSpec.siblings`.
        with_root: the folder or archive that the user named counts, too.
    """
    if not siblings:
        return ""
    root, below = location(file)
    names = {name.casefold(): name for name in siblings}
    for part in (*(root[-1:] if with_root else ()), *below):
        lower = part.casefold()
        bare = next((lower.removesuffix(suffix) for suffix in ARCHIVE_SUFFIXES if lower.endswith(suffix)), lower)
        if sibling := names.get(lower) or names.get(bare):
            return sibling
    return ""


def _has_run(parts: Parts, run: Parts) -> bool:
    return bool(run) and any(parts[at : at + len(run)] == run for at in range(len(parts) - len(run) + 1))
