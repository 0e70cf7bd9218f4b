"""Names the copies of a corpus in a source by the folder names on their paths that differ between two copies."""

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

    Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """One copy of a corpus, or of some of its files.

    Attributes:
        names: the folder names that the paths of the other copy lack; empty for the copy in the top folder.
        places: the absolute paths of the folders that end in these names.
        relative: `names` are below the source that the user named.
    """

    names: Names = ()
    places: frozenset[Names] = field(default=frozenset(), compare=False)
    relative: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        return "/".join(self.names).replace("//", "/") or "."

    @property
    def shown(self) -> str:
        """The name of the folder in a sentence."""
        return str(self) if self.names else "the top folder (.)"

    @property
    def option(self) -> str:
        """The value for `--folder`."""
        return shlex.quote(str(self))

    @property
    def path(self) -> str:
        """The full path, or the first of several, such as for a folder `16k` in the folder of each actor."""
        first = str(PurePath(*min(self.places))) if self.places else str(self)
        return first if len(self.places) < 2 else f"{first} (and {len(self.places) - 1} more folders of that kind)"


def location(file: SourceFile) -> tuple[Names, Names]:
    """Return the folder names of the path of the source that the user named, and those of the file below it.

    An archive counts as a folder.
    """
    root: Names = PurePath(file.containers[0]).parts if file.containers else PurePath(file.archive).parts
    inner = tuple(part for container in file.containers[1:] for part in container.split("/"))
    return root, (*inner, *file.name.parts[:-1])


def path_below_source(file: SourceFile) -> str:
    """Return a file's path below the source that the user named; an archive counts as a folder."""
    return "/".join((*location(file)[1], file.name.name))


def folders_of(groups: Iterable[Sequence[SourceFile]]) -> dict[int, Folder]:
    """Return the folder of each file, by the file's `id()`.

    Two files of an utterance differ by some folder names of their paths. A file may differ from the others in several
    ways. The names that separate most files of the source count, so that a misplaced file does not make a copy.

    Args:
        groups: the files of each utterance that has several.
    """
    votes: Counter[Names] = Counter()
    options: dict[int, set[tuple[Names, Names]]] = defaultdict(set)
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
    present: Counter[Names] = Counter()
    clashes: Counter[Names] = Counter()  # utterances with two files in one assumed folder
    for group in several:
        counts = Counter(best[id(file)][0] for file in group)
        present.update(counts.keys())
        clashes.update(label for label, count in counts.items() if count > 1)
    relative: dict[Names, bool] = {}
    places: dict[Names, set[Names]] = defaultdict(set)
    assigned: dict[int, Names] = {}
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


def _difference(file: SourceFile, other_file: SourceFile) -> tuple[tuple[Names, Names], tuple[Names, Names]]:
    """Return, for each of two files, the folder names that the other lacks, and the path that ends in them."""
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
    if folder.names:
        return _contains(below if folder.relative else (*root, *below), folder.names)
    return any((*root, *below)[: len(place)] == place for place in folder.places)


def is_in_named_folder(option: str, file: SourceFile) -> bool:
    """Whether a file lies in the folder that the user named: below the source, or by its full path."""
    root, below = location(file)
    if option == ".":
        return not below
    names = clean_name(option).parts
    return _contains(below, names) or _contains((*root, *below), names)


def sibling_of(file: SourceFile, siblings: Mapping[str, str], *, with_root: bool) -> str:
    """Return the declared sibling that a file is in, "" for no sibling. An archive of that name counts as the folder.

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


def _contains(path: Names, names: Names) -> bool:
    """Whether a path contains folder names, one directly below the other."""
    return bool(names) and any(path[at : at + len(names)] == names for at in range(len(path) - len(names) + 1))
