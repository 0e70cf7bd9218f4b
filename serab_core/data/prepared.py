"""Reads prepared corpora, and returns them as tasks for a protocol."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from serab_core import plugins
from serab_core.data.disk_names import disk_name
from serab_core.data.folds import describe_folds, make_folds
from serab_core.data.index_document import IndexDocument
from serab_core.data.integrity import PER_SPEAKER, corpus_notices, fold_notices
from serab_core.data.splits import describe_splits
from serab_core.errors import ContentError, NotPreparedError, StoreError, UsageError, store_error
from serab_core.store import codec
from serab_core.store.jsonio import digest
from serab_core.store.leftovers import restore_folders
from serab_core.store.reading import file_exists, read_file
from serab_core.system.hints import command
from serab_core.types import SPLITS, Notice, SplitVariant, Task, Utterance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import DatasetSpec, ProtocolSpec

SCHEMA = "serab.dataset/1"
INDEX_NAME = "index.json"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared corpus: its folder, and its index as it is stored."""

    folder: Path
    index: dict[str, Any]

    @property
    def name(self) -> str:
        """The public name of the task."""
        return str(self.index["name"])

    @property
    def continuous(self) -> dict[str, list[str]]:
        """The targets of the continuous tasks of the corpus, by the names of the tasks."""
        by_suffix: dict[str, list[str]] = self.index.get("continuous", {})
        return {f"{self.name}/{suffix}": targets for suffix, targets in by_suffix.items()}

    def variant_for(self, protocol: ProtocolSpec) -> str:
        """Return the split variant that a protocol uses."""
        if protocol.splits == "released":
            return str(self.index["released_variant"])
        return str(self.index["variants"][0]["name"])

    @property
    def variants(self) -> dict[str, int]:
        """The number of utterances of each split variant, by name."""
        sizes = Counter(name for row in self.index["utterances"] for name in row["cut"])
        return {str(variant["name"]): sizes[variant["name"]] for variant in self.index["variants"]}

    def find_variant(self, word: str) -> str | None:
        """Return a split variant, given by its name or by its number of utterances; None if no single one is meant."""
        matching = [name for name, size in self.variants.items() if word in (name, str(size))]
        return word if word in matching else matching[0] if len(matching) == 1 else None

    def is_variant(self, suffix: str) -> bool:
        """Return whether the part of a task's name after the slash is a split variant, and not a continuous target."""
        return suffix in self.variants and not any(suffix in targets for targets in self.continuous.values())

    def task(self, protocol: ProtocolSpec, target: str = "", variant: str = "") -> Task:
        """Return the corpus as a task for its classes or for a continuous target; its utterances are sorted by id.

        A split variant other than that of the protocol is a task of its own, such as `cafe/without_neutral`, so that
        its scores are never mixed with those of the corpus.

        Raises:
            UsageError: the corpus cannot have the folds of the protocol.
            DataError: the corpus has folds that share speakers.
        """
        default = self.variant_for(protocol)
        variant = variant or default
        if protocol.has_folds:
            task = self._folded_task(protocol, variant, target)
            return task if variant == default else replace(task, name=f"{task.name}/{variant}")
        transductive = protocol.normalisation == "speaker"
        notices = self.notices(variant, target)
        cautions = (notice.text for notice in notices if transductive or notice.kind not in PER_SPEAKER)
        faulty = any(notice.severity == "fault" for notice in notices)
        task = replace(self._task(variant, target), cautions=tuple(cautions), faulty=faulty)
        return task if variant == default else replace(task, name=f"{task.name}/{variant}")

    def _folded_task(self, protocol: ProtocolSpec, variant: str, target: str) -> Task:
        """Return the corpus as a task with folds. The splits of the variant and notices about them do not matter."""
        task = self._task(variant, target)
        if protocol.corpora and self.name not in protocol.corpora:
            raise UsageError(
                f"has no protocol {protocol.name}, which is one of {', '.join(protocol.corpora)} only",
                where=task.name,
                next_step="choose loso or repeated, or name other tasks",
            )
        rows = self._rows(variant, target)
        corpus_folds: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            corpus_folds[row["speaker"]].add(row.get("fold", ""))
        utterances = tuple(replace(u, split="test", group=u.speaker) for u in task.utterances)
        folds = make_folds(
            protocol,
            [u.speaker for u in utterances],
            sexes=self._speaker_sex,
            corpus_folds=corpus_folds,
            ratios=self._variant(variant).get("ratios") or SplitVariant().ratios,
            where=task.name,
        )
        notices = [*self._stored_notices(), *fold_notices(rows, folds, task.labels, protocol)]
        return replace(
            task,
            utterances=utterances,
            folds=folds,
            digest=digest([task.digest, [[fold.name, dict(fold.splits)] for fold in folds]]),
            note=self._variant(variant).get("fold_note", ""),
            splits=describe_folds(protocol, folds),
            cautions=tuple(notice.text for notice in notices),
            faulty=any(notice.severity == "fault" for notice in notices),
        )

    @property
    def _speaker_sex(self) -> Mapping[str, str]:
        """The sexes of the speakers; from the plugin if an earlier version prepared the corpus."""
        if "speaker_sex" in self.index:
            return dict(self.index["speaker_sex"])
        spec = plugins.dataset_or_none(self.name)
        return {} if spec is None else spec.speaker_sex

    def notices(self, variant: str, target: str = "") -> tuple[Notice, ...]:
        """Return the notices for scores on one split variant: those that `prepare` stored, then those of its rows."""
        return (*self._stored_notices(), *self.split_notices(variant, target))

    def _stored_notices(self) -> Iterator[Notice]:
        return (Notice(**{**record, "names": tuple(record["names"])}) for record in self.index.get("notices", ()))

    def split_notices(self, variant: str, target: str = "") -> tuple[Notice, ...]:
        """Return the notices computed from the rows of one split variant, faults first."""
        variant_record = self._variant(variant)
        rows = self._rows(variant, target)
        present = {row["label"] for row in rows}
        labels = [] if target else [label for label in self.index["labels"] if label in present]
        return corpus_notices(rows, variant_record, labels)

    def _rows(self, variant: str, target: str = "") -> list[dict[str, Any]]:
        """Return the rows of a split variant, for a continuous target those that have a value of it."""
        rows = [row for row in self.index["utterances"] if variant in row["cut"]]
        return [row for row in rows if not target or target in row.get("targets", {})]

    def _variant(self, name: str) -> dict[str, Any]:
        return next(dict(v) for v in self.index["variants"] if v["name"] == name)

    def _task(self, variant: str, target: str = "") -> Task:
        variant_record = self._variant(variant)
        utterances = []
        for row in sorted(self.index["utterances"], key=lambda r: str(r["id"])):
            if variant in row["cut"]:
                group, split = row["cut"][variant]
                utterances.append(
                    Utterance(
                        id=row["id"],
                        path=str(self.folder / disk_name(row["file"])),
                        label=row["label"],
                        speaker=row["speaker"],
                        group=group,
                        split=split,
                        sha256=row["sha256"],
                        duration=row["duration"],
                        targets=row.get("targets", {}),
                    )
                )
        identity: list[list[Any]] = [[u.id, u.label, u.speaker, u.group, u.split] for u in utterances]
        if target:
            utterances = [u for u in utterances if target in u.targets]
            identity = [[u.id, u.targets[target], u.speaker, u.group, u.split] for u in utterances]
        present = {u.label for u in utterances}
        labels = tuple(label for label in self.index["labels"] if label in present)
        labels = () if target else labels
        return Task(
            name=f"{self.name}/{target}" if target else self.name,
            title=f"{self.index['title']}, {target}" if target else self.index["title"],
            language=self.index["language"],
            variant=variant,
            labels=labels,
            utterances=tuple(utterances),
            digest=digest([self.name, variant, target or labels, identity]),
            audio_digest=digest([[u.id, u.sha256] for u in utterances]),
            synthetic=self.index["synthetic"],
            partial=self.index["partial"],
            note=variant_record["note"],
            target=target,
            splits=describe_splits(self.name, variant_record, self.index),
        )

    def digests(self) -> dict[str, Any]:
        """Return the digests by which two preparations are compared: of the task by split variant, and of the audio."""
        tasks = [self._task(v["name"]) for v in self.index["variants"]]
        return {"tasks": {task.variant: task.digest for task in tasks}, "audio": tasks[0].audio_digest}

    def data_digests(self, protocol: ProtocolSpec, suffix: str = "") -> tuple[str, str]:
        """Return the digests of a task and of its audio, which a result under the protocol records.

        Args:
            protocol: the protocol.
            suffix: the part of the task's name after the slash: a continuous target or a split variant.
        """
        variant, target = (suffix, "") if self.is_variant(suffix) else (self.variant_for(protocol), suffix)
        task = self._folded_task(protocol, variant, target) if protocol.has_folds else self._task(variant, target)
        return task.digest, task.audio_digest

    def summary(self) -> dict[str, Any]:
        """Return the facts about the corpus for lists and `--json`."""
        rows = self.index["utterances"]
        first = self.index["variants"][0]["name"]
        splits = Counter(row["cut"][first][1] for row in rows if first in row["cut"])
        return {
            "name": self.name,
            "title": self.index["title"],
            "language": self.index["language"],
            "utterances": len(rows),
            "labels": dict(sorted(Counter(row["label"] for row in rows).items())),
            "speakers": len({row["speaker"] for row in rows}),
            "hours": round(sum(row["duration"] for row in rows) / 3600, 3),
            "splits": {split: splits[split] for split in SPLITS},
            "synthetic": self.index["synthetic"],
            "partial": self.index["partial"],
            "missing": self.index["missing"],
            "skipped": self.index["skipped"],
            "continuous": self.continuous,
            "split_rule": describe_splits(self.name, self._variant(first), self.index),
            "notes": list(self.index.get("notes", ())),
            "choices": list(self.index.get("choices", ())),
            "notices": [asdict(notice) for notice in self.notices(first)],
            "digests": self.digests(),
            "folder": str(self.folder),
        }


def load(home: Home, name: str, spec: DatasetSpec | None = None) -> Prepared:
    """Read a prepared corpus.

    Args:
        home: the home.
        name: the dataset.
        spec: the dataset, if it is installed; the error then says how to get its source.

    Raises:
        NotPreparedError: the corpus is not prepared.
        ContentError: its index is damaged, or is from another version of serab.
        StoreError: its index cannot be read.
    """
    folder = home.datasets / name
    path = folder / INDEX_NAME
    if not file_exists(path):
        restore_folders(home.datasets)
    if not file_exists(path):
        by_hand = f"prepare it with {command('data prepare', name, 'PATH')}"
        step = by_hand if spec is None else preparation_step(spec)
        raise NotPreparedError("is not prepared", where=name, next_step=step)
    step = f"prepare it again with {command('data prepare', name, 'PATH')} (for your corpus, {command('data add')})"
    content = read_file(path)
    try:
        fault = codec.decode(content, IndexDocument, where=path, surrogates_in=("$",)).fault()
        index = codec.decode(content, dict[str, Any], where=path, surrogates_in=("$",))
    except ContentError as error:
        raise ContentError(error.what, where=path, next_step=step) from error
    if fault:
        raise ContentError(fault, where=path, next_step=step)
    return Prepared(folder, index)


def preparation_step(spec: DatasetSpec) -> str:
    """Return what a user does to get a corpus and to prepare it, as a phrase."""
    if spec.access == "generated":
        return f"prepare it with {command('data prepare', spec.name)}"
    by_hand = manual_step(spec)
    return f"run {command('data fetch', spec.name)}, or {by_hand}" if spec.access == "fetchable" else by_hand


def manual_step(spec: DatasetSpec) -> str:
    """Return what a user does to prepare a corpus that serab does not download, as a phrase."""
    return f"{spec.manual}; then prepare it with {command('data prepare', spec.name, 'PATH')}"


def prepared_names(home: Home) -> tuple[str, ...]:
    """Return the names of the prepared corpora, sorted. Raises StoreError if they cannot be listed."""
    if not home.datasets.is_dir():
        return ()
    restore_folders(home.datasets)
    try:
        names = [path.name for path in home.datasets.iterdir() if path.name[0] != "."]
    except OSError as error:
        raise store_error(error, home.datasets, "read") from error
    return tuple(sorted(name for name in names if _is_listed(home.datasets / name / INDEX_NAME)))


def _is_listed(index: Path) -> bool:
    """Whether a corpus is listed: not if this user has no permission to read its folder, but even if it is damaged."""
    try:
        return file_exists(index)
    except StoreError as error:
        return not isinstance(error.__cause__, PermissionError)
