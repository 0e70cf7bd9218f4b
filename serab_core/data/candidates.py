"""Chooses between several files of an utterance: by folder for the whole corpus, not separately for each file.

A source often holds each utterance several times: two copies of a folder, mp3 files next to wav files, a second signal.
`resolve` compares the files and applies rules to their folders. It raises an error if two recordings differ and no rule
decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from serab_core.data.comparison import Candidate, compare
from serab_core.data.folders import Folder, folders_of, is_in_named_folder, location, path_below_source, sibling_of
from serab_core.data.naming import preference
from serab_core.data.ranking import MAX_NAMED, Ranking, components, count_utterances, kind_of, list_utterances, why
from serab_core.errors import DataError
from serab_core.system.hints import option
from serab_core.system.text import list_names
from serab_core.types import Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.types import DatasetSpec, Entry, Progress, SourceFile


@dataclass(frozen=True, slots=True)
class Resolution:
    """One file for each utterance, and an account of how it was chosen.

    Attributes:
        index: entries without alternatives; files that were left out are among the skipped.
        choices: by pair of folders: `chosen`, `left`, `why`, `utterances_differ` and `count` (utterances in both).
        notes: sentences for the user.
        missing: sentences about utterances that only a folder that was not chosen has.
    """

    index: Index
    choices: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def resolve(
    spec: DatasetSpec, index: Index, files: Sequence[SourceFile], source_name: str, progress: Progress, folder: str = ""
) -> Resolution:
    """Return an index with one file for each utterance.

    The rules, in this order: a folder that the corpus declares as a sibling does not count; a file that decodes is
    preferred to one that does not; lossless to lossy; a sampling rate that the corpus declares to another.
    If the samples are equal, any copy is used. `folder` overrides all rules except the second.

    Args:
        spec: the dataset, which declares siblings and sampling rates.
        index: the index that its plugin made from the files.
        files: all files of the source; candidates are read in this order.
        source_name: the name of the source in errors.
        progress: advances with each compared file.
        folder: the folder that the user chose; "" for none, "." for the top folder.

    Raises:
        DataError: recordings differ and no rule decides, the source has only files of a sibling, or no file is in
            `folder`.
    """
    known = spec.expected_ids() if spec.expected_ids else None
    entries = [entry for entry in index.entries if known is None or entry.id in known]
    if not folder and not spec.siblings and not any(entry.alternatives for entry in entries):
        return Resolution(index)
    return _Resolver(spec, index, entries, files, source_name, folder).run(progress)


class _Resolver:
    """The arguments of `resolve`, and the decisions that it collects."""

    def __init__(
        self,
        spec: DatasetSpec,
        index: Index,
        entries: Sequence[Entry],
        files: Sequence[SourceFile],
        source_name: str,
        folder: str,
    ) -> None:
        self._spec, self._index, self._source_name, self._folder = spec, index, source_name, folder
        self._rates = spec.expected_audio.rates if spec.expected_audio else ()
        self._entries = {entry.id: entry for entry in entries}
        self._position = {id(file): number for number, file in enumerate(files)}
        self._skipped: list[Skipped] = []
        self._choices: list[dict[str, Any]] = []
        self._notes: list[str] = []
        self._missing: list[str] = []
        self._replaced: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._same_folder: dict[str, list[str]] = defaultdict(list)

    def run(self, progress: Progress) -> Resolution:
        """Compare the files, choose, and return the result."""
        everything = {key: [entry.file, *entry.alternatives] for key, entry in self._entries.items()}
        if self._folder:
            self._check_folder(everything)
        remaining = self._without_siblings(everything)
        doubled = {key: files for key, files in remaining.items() if len(files) > 1}
        folders = folders_of(doubled.values())
        candidates = {key: [Candidate(f, folders[id(f)]) for f in files] for key, files in doubled.items()}
        in_folder = (
            file for files in doubled.values() for file in files if self._folder and self._is_in_folder(file, folders)
        )
        compare(candidates, self._position, frozenset(map(id, in_folder)), progress)
        chosen = {key: files[0] for key, files in remaining.items() if len(files) == 1}
        chosen |= self._choose(candidates, chosen)
        for (folder, best, fault), keys in self._replaced.items():
            self._notes.append(
                f"{list_utterances(keys)}: taken from {best}, because the files in {folder} cannot be used ({fault})"
            )
        for rule, keys in self._same_folder.items():
            self._notes.append(
                f"{list_utterances(keys)}: one folder holds two recordings; the chosen one follows the rule: {rule}"
            )
        entries = []
        for entry in self._index.entries:
            if entry.id not in self._entries:
                entries.append(replace(entry, alternatives=()))
            elif entry.id in chosen:
                entries.append(replace(entry, file=chosen[entry.id], alternatives=()))
        skipped = (*self._index.skipped, *self._skipped)
        return Resolution(
            Index(tuple(entries), skipped), tuple(self._choices), tuple(self._notes), tuple(self._missing)
        )

    def _is_in_folder(self, file: SourceFile, folders: Mapping[int, Folder]) -> bool:
        return str(folders.get(id(file))) == self._folder.rstrip("/") or is_in_named_folder(self._folder, file)

    def _check_folder(self, everything: Mapping[str, Sequence[SourceFile]]) -> None:
        """Refuse a folder without utterances. Raises DataError."""
        files = [file for alternatives in everything.values() for file in alternatives]
        folders = folders_of(alternatives for alternatives in everything.values() if len(alternatives) > 1)
        if not files or any(self._is_in_folder(file, folders) for file in files):
            return
        if self._folder == "." and not folders:
            return
        names = {str(folder) for folder in folders.values()} or {"/".join(location(f)[1]) or "." for f in files}
        raise DataError(
            f"has no folder {self._folder!r} with utterances of {self._spec.title}; its folders are "
            f"{list_names(sorted(names), MAX_NAMED)}",
            where=self._source_name,
            next_step=f"name one of these with {option('folder')}",
        )

    def _without_siblings(self, everything: Mapping[str, Sequence[SourceFile]]) -> dict[str, list[SourceFile]]:
        """Leave out files in folders that the corpus declares as siblings. Raises DataError if no other file exists."""
        remaining: dict[str, list[SourceFile]] = {}
        left_out: dict[str, list[SourceFile]] = defaultdict(list)
        for key, files in everything.items():
            for file in files:
                sibling = sibling_of(file, self._spec.siblings, with_root=self._folder != ".")
                if sibling and not (self._folder and is_in_named_folder(self._folder, file)):
                    left_out[sibling].append(file)
                else:
                    remaining.setdefault(key, []).append(file)
        for name, files in left_out.items():
            reason = self._spec.siblings[name]
            if not remaining:
                raise DataError(
                    f"holds {self._spec.title} only in the folder {name}, which is not the corpus itself: {reason}",
                    where=self._source_name,
                    next_step="name the folder with the corpus itself, or choose this folder with "
                    f"{option('folder', name)}",
                )
            self._notes.append(f"{len(files)} file{'' if len(files) == 1 else 's'} in {name} left out: {reason}")
            self._skipped += [Skipped(path_below_source(file), reason) for file in files]
        return remaining

    def _choose(
        self, candidates: Mapping[str, list[Candidate]], singles: dict[str, SourceFile]
    ) -> dict[str, SourceFile]:
        """Return the file of each doubled utterance; leave out singles of folders that were not chosen."""
        best = {key: self._best_of_folders(key, alternatives) for key, alternatives in candidates.items()}
        chosen: dict[str, SourceFile] = {}
        conflicts: dict[tuple[Folder, Folder], list[str]] = {}
        for component in components(best):
            ranking = Ranking(component, self._rates, self._folder, singles)
            undecided = ranking.undecided()
            conflicts |= undecided
            if not undecided:
                self._settle(ranking, chosen, singles)
        if conflicts:
            raise self._conflict_error(conflicts)
        return chosen

    def _best_of_folders(self, key: str, alternatives: list[Candidate]) -> dict[Folder, Candidate]:
        """Return the best file of each folder. Raises DataError when two in one folder differ and no rule decides."""
        by_folder: dict[Folder, list[Candidate]] = defaultdict(list)
        for candidate in alternatives:
            by_folder[candidate.folder].append(candidate)
        return {folder: self._best(key, group) for folder, group in by_folder.items()}

    def _best(self, key: str, group: list[Candidate]) -> Candidate:
        first, *others = sorted(group, key=lambda c: (bool(c.fault), *kind_of(c, self._rates), preference(c.file)))
        for other in others:
            rule = why(kind_of(first, self._rates), kind_of(other, self._rates), self._rates)
            if other.fault:
                reason = f"cannot be used ({other.fault}): {path_below_source(first.file)} was taken"
                if not first.fault:
                    self._replaced[other.folder.shown, first.folder.shown, other.fault].append(key)
            elif first.equals(other):
                reason = f"a copy of {path_below_source(first.file)}, with the same samples"
            elif rule:
                reason = f"another recording of {key}: {path_below_source(first.file)} was chosen because {rule}"
                self._same_folder[rule].append(key)
            else:
                raise DataError(
                    f"is another recording of {key} than {other.file.shown}, and no rule decides between them",
                    where=first.file.shown,
                    next_step="find out which of the two is right, and move the other one away",
                )
            self._skipped.append(Skipped(path_below_source(other.file), reason))
        return first

    def _settle(self, ranking: Ranking, chosen: dict[str, SourceFile], singles: dict[str, SourceFile]) -> None:
        """Take each utterance from the best folder that has it, and note the reason for every other file."""
        winner = ranking.winner
        self._choices += ranking.choices()
        self._notes += ranking.notes()
        completed: Counter[Folder] = Counter()
        absent: dict[Folder, list[str]] = defaultdict(list)
        for key, by_folder in ranking.files.items():
            present = [folder for folder in ranking.order if folder in by_folder]
            best = next((folder for folder in present if not by_folder[folder].fault), present[0])
            if winner not in by_folder and ranking.competes(best):
                if not ranking.may_complete(best):
                    absent[best].append(key)
                    self._leave_out(key, winner, by_folder)
                    continue
                completed[best] += 1
            selected = by_folder[best]
            chosen[key] = selected.file
            for folder in present:
                other = by_folder[folder]
                if folder != best:
                    self._skipped.append(Skipped(path_below_source(other.file), ranking.reason(key, selected, other)))
                if other.fault and folder != best and not selected.fault:
                    self._replaced[folder.shown, best.shown, other.fault].append(key)
        for key, file in list(singles.items()):
            place = ranking.folder_of_single(key)
            if place is None or not ranking.competes(place):
                continue
            if ranking.may_complete(place):
                completed[place] += 1
                continue
            absent[place].append(key)
            self._leave_out(key, winner, {place: Candidate(file)})
            del singles[key]
        for folder, count in completed.items():
            self._notes.append(
                f"{count_utterances(count)} that {winner.shown} lacks: taken from {folder.shown}, a copy of it"
            )
        for folder, keys in absent.items():
            self._missing.append(
                f"{list_utterances(keys)}: only in {folder.shown}, which is not a copy of {winner.shown}, "
                "the chosen folder"
            )

    def _leave_out(self, key: str, winner: Folder, by_folder: Mapping[Folder, Candidate]) -> None:
        for folder, candidate in by_folder.items():
            reason = f"{winner.shown} was chosen, which lacks {key}, and {folder.shown} is not a copy of it"
            self._skipped.append(Skipped(path_below_source(candidate.file), reason))

    def _conflict_error(self, conflicts: Mapping[tuple[Folder, Folder], list[str]]) -> DataError:
        ids = sorted({key for keys in conflicts.values() for key in keys})
        first, second = max(conflicts, key=lambda pair: len(conflicts[pair]))
        more = f", and so do {len(conflicts) - 1} more pairs of folders" if len(conflicts) > 1 else ""
        return DataError(
            f"holds different recordings of {list_utterances(ids)}: {first.path} and {second.path} differ{more}",
            where=self._source_name,
            next_step=f"find out which is right, and choose it: {option('folder', first.option)} or "
            f"{option('folder', second.option)}",
        )
