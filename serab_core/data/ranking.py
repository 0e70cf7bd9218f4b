"""Ranks the folders that hold the same utterances, and explains the order."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from serab_core.data.folders import Folder, holds, is_in_named_folder, path_below_source
from serab_core.system.text import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serab_core.data.comparison import Candidate
    from serab_core.types import SourceFile

    Files = dict[str, dict[Folder, Candidate]]

MAX_NAMED = 20  # utterances that a message names; it counts the others
MIN_OVERLAP = 0.5  # minimum fraction of the smaller folder's utterances that two copies share


def kind_of(candidate: Candidate, rates: tuple[int, ...]) -> tuple[bool, bool]:
    """Return a sort key for formats, the best first: lossless before lossy, declared sampling rates before others."""
    return not candidate.lossless, bool(rates) and candidate.rate not in rates


def why(kind: tuple[bool, bool], other: tuple[bool, bool], rates: tuple[int, ...]) -> str:
    """Return the rule by which a format is better than another; "" if they are equal."""
    if kind[0] != other[0]:
        return "it is lossless"
    declared = " or ".join(str(rate) for rate in rates)
    return f"its sampling rate is {declared} Hz, as the corpus was published" if kind != other else ""


def components(files: Files) -> Iterator[Files]:
    """Split utterances into sets without a common folder; each set has a separate ranking."""
    leader: dict[Folder, Folder] = {}

    def find(folder: Folder) -> Folder:
        while leader[folder] != folder:
            folder = leader[folder]
        return folder

    for by_folder in files.values():
        first, *others = by_folder
        leader.setdefault(first, first)
        for other in others:
            leader.setdefault(other, other)
            leader[find(other)] = find(first)
    component_files: dict[Folder, Files] = defaultdict(dict)
    for key, by_folder in files.items():
        component_files[find(next(iter(by_folder)))][key] = by_folder
    yield from component_files.values()


def count_utterances(number: int) -> str:
    """Return `1 utterance`, `2 utterances`."""
    return f"{number} utterance{'' if number == 1 else 's'}"


def list_utterances(ids: list[str]) -> str:
    """Name up to `MAX_NAMED` utterances, and count them."""
    return f"{count_utterances(len(ids))} ({list_names(ids, MAX_NAMED)})"


class Ranking:
    """The folders of one component, the best first.

    Args:
        files: the best file of each folder, by utterance.
        rates: sampling rates that the corpus declares; empty for none.
        chosen_folder: the folder that the user chose; "" for none.
        singles: files of utterances with one file.
    """

    def __init__(
        self, files: Files, rates: tuple[int, ...], chosen_folder: str, singles: Mapping[str, SourceFile]
    ) -> None:
        self.files = files
        self._rates = rates
        by_folder: dict[Folder, list[Candidate]] = defaultdict(list)
        for alternatives in files.values():
            for folder, candidate in alternatives.items():
                by_folder[folder].append(candidate)
        self._candidates = dict(by_folder)
        self._chosen_folders = self._find_chosen(chosen_folder) if chosen_folder else frozenset()
        self._ranks = {folder: self._rank(folder) for folder in by_folder}
        self._single = {key: place for key, file in singles.items() if (place := self._folder_of(file))}
        self._sizes = Counter(self._single.values()) + Counter({f: len(c) for f, c in by_folder.items()})
        self.order = sorted(by_folder, key=lambda f: (*self._ranks[f], *self._preference(f)))

    def _find_chosen(self, chosen_folder: str) -> frozenset[Folder]:
        exact = [folder for folder in self._candidates if str(folder) == chosen_folder.rstrip("/")]
        if exact or chosen_folder == ".":
            return frozenset(exact)
        return frozenset(
            f
            for f, alternatives in self._candidates.items()
            if any(is_in_named_folder(chosen_folder, c.file) for c in alternatives)
        )

    def _folder_of(self, file: SourceFile) -> Folder | None:
        holding = [folder for folder in self._candidates if holds(folder, file)]
        return max(holding, key=lambda folder: (len(folder.names), folder.names)) if holding else None

    def _kind(self, folder: Folder) -> tuple[bool, bool]:
        """Return the format of most files of a folder."""
        kinds = Counter(kind_of(c, self._rates) for c in self._candidates[folder] if not c.fault)
        return max(kinds, key=lambda kind: (kinds[kind], kind)) if kinds else (True, True)

    def _rank(self, folder: Folder) -> tuple[bool, bool, bool, bool]:
        unusable = all(candidate.fault for candidate in self._candidates[folder])
        return folder not in self._chosen_folders, unusable, *self._kind(folder)

    def _preference(self, folder: Folder) -> tuple[bool, int, int, str]:
        """Return a sort key for folders of equal rank: on disk, then most utterances, then nearest to the root."""
        alternatives = self._candidates[folder]
        in_archive = any(candidate.file.path is None for candidate in alternatives)
        return in_archive, -self._sizes[folder], len(folder.names), str(folder)

    @property
    def winner(self) -> Folder:
        """The chosen folder."""
        return self.order[0]

    def folder_of_single(self, key: str) -> Folder | None:
        """Return the folder of an utterance with one file; None if it is in no ranked folder."""
        return self._single.get(key)

    def undecided(self) -> dict[tuple[Folder, Folder], list[str]]:
        """Return utterances whose recordings differ between two folders of equal rank, by pair of folders."""
        best = [folder for folder in self.order if self._ranks[folder] == self._ranks[self.winner]]
        pairs = {(first, second): self._compared(first, second)[1] for first, second in combinations(best, 2)}
        return {pair: keys for pair, keys in pairs.items() if keys}

    def _compared(self, first: Folder, second: Folder) -> tuple[list[str], list[str]]:
        """Return the utterances in both folders, and those among them whose recordings differ."""
        both = sorted(
            key for key, alternatives in self.files.items() if first in alternatives and second in alternatives
        )
        pairs = {key: (self.files[key][first], self.files[key][second]) for key in both}
        return both, [k for k, (a, b) in pairs.items() if not a.fault and not b.fault and not a.equals(b)]

    @cached_property
    def _overlap(self) -> dict[Folder, tuple[list[str], list[str]]]:
        return {folder: self._compared(self.winner, folder) for folder in self.order[1:]}

    def competes(self, folder: Folder) -> bool:
        """Whether a folder is another copy of the winner, not an unrelated folder with a misplaced file."""
        if folder == self.winner:
            return False
        smaller = min(self._sizes[self.winner], self._sizes[folder])
        return len(self._overlap[folder][0]) >= MIN_OVERLAP * smaller

    def may_complete(self, folder: Folder) -> bool:
        """Whether a folder can supply utterances that the winner lacks: same format, equal recordings."""
        both, differ = self._overlap[folder]
        return bool(both) and not differ and self._ranks[folder][2:] == self._ranks[self.winner][2:]

    def why(self, folder: Folder) -> str:
        """Say why the winner was chosen and not this folder."""
        best, other = self._ranks[self.winner], self._ranks[folder]
        if best[0] != other[0]:
            return "it was chosen by name"
        if best[1] != other[1]:
            return "its files can be decoded"
        return why(best[2:], other[2:], self._rates) or "both hold the same samples"

    def choices(self) -> list[dict[str, Any]]:
        """Return the decisions as plain values, for the index document."""
        return [
            {
                "chosen": str(self.winner),
                "left": str(folder),
                "why": self.why(folder),
                "utterances_differ": differ,
                "count": len(both),
            }
            for folder, (both, differ) in self._overlap.items()
            if both
        ]

    def notes(self) -> list[str]:
        """Return the decisions as sentences."""
        notes, winner = [], self.winner.shown
        for folder, (both, differ) in self._overlap.items():
            if differ:
                notes.append(
                    f"{winner} and {folder.shown} both hold {count_utterances(len(both))}, and differ in "
                    f"{'all of them' if len(differ) == len(both) else list_utterances(differ)}; "
                    f"{winner} was chosen because {self.why(folder)}"
                )
            elif len(both) > sum(self.files[key][folder].fault != "" for key in both):
                summary = f"{winner} and {folder.shown} both hold {count_utterances(len(both))}"
                notes.append(f"{summary}, with the same samples; {winner} is used")
        return notes

    def reason(self, key: str, selected: Candidate, other: Candidate) -> str:
        """Say why a file was left out in favour of another."""
        if other.fault:
            return f"cannot be used ({other.fault}): {path_below_source(selected.file)} was taken"
        if selected.equals(other):
            return f"a copy of {path_below_source(selected.file)}, with the same samples"
        return f"another recording of {key}: {selected.folder.shown} was chosen because {self.why(other.folder)}"
