"""Corpora, and the extractors, datasets and classifiers of the installed plugins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from serab_core import plugins
from serab_core.api.frames import as_html, as_text, data_frame
from serab_core.api.homes import use_home
from serab_core.data.prepared import Prepared, load, prepared_names
from serab_core.errors import SerabError
from serab_core.plugins.entry_points import Group
from serab_core.report.progress import Silent
from serab_core.report.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas
    from rich.console import Console

_Row = TypeVar("_Row")


class Table(Sequence[_Row], Generic[_Row]):
    """A sequence of rows of one class, whose representation is a table.

    Args:
        kind: the class of the rows, a dataclass.
        rows: the rows.
    """

    def __init__(self, kind: type[_Row], rows: Sequence[_Row]) -> None:
        self._names = tuple(column.name for column in fields(kind))  # type: ignore[arg-type]
        self._rows = tuple(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[_Row]:
        return iter(self._rows)

    @overload
    def __getitem__(self, key: int | str) -> _Row: ...

    @overload
    def __getitem__(self, key: slice) -> Sequence[_Row]: ...

    def __getitem__(self, key: int | slice | str) -> _Row | Sequence[_Row]:
        """Return a row by its position or its name. Raises KeyError or IndexError."""
        if isinstance(key, str):
            for row in self._rows:
                if getattr(row, "name", None) == key:
                    return row
            raise KeyError(key)
        return self._rows[key]

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the rows as a data frame. Raises UsageError without pandas."""
        return data_frame([{name: getattr(row, name) for name in self._names} for row in self._rows], self._names)

    def __repr__(self) -> str:
        def show(console: Console) -> None:
            shown = table(*(name.replace("_", " ").capitalize() for name in self._names))
            for row in self._cells():
                shown.add_row(*row)
            console.print(shown)

        return as_text(show)

    def _repr_html_(self) -> str:
        return as_html([name.replace("_", " ").capitalize() for name in self._names], self._cells())

    def _cells(self) -> list[list[str]]:
        return [[_text(getattr(row, name)) for name in self._names] for row in self._rows]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus that can be prepared, or is prepared.

    Attributes:
        name: the name of the task.
        prepared: whether the corpus is prepared in the home.
        utterances: number of utterances; the expected number for a corpus that is not prepared.
        labels: number of labels, counted in the same way.
        speakers: number of speakers, counted in the same way.
    """

    name: str
    title: str
    language: str
    prepared: bool
    utterances: int
    labels: int
    speakers: int


@dataclass(frozen=True, slots=True)
class ExtractorInfo:
    """An installed extractor.

    Attributes:
        dim: the dimension of its embeddings.
        sample_rate: sampling rate in Hz.
    """

    name: str
    dim: int
    sample_rate: int
    summary: str
    licence: str


@dataclass(frozen=True, slots=True)
class ClassifierInfo:
    """An installed classifier, and the number of points of its grid."""

    name: str
    title: str
    summary: str
    grid_points: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """A prepared corpus.

    Attributes:
        splits: number of utterances by split.
        labels: number of utterances by label.
        cautions: sentences on what limits scores on the corpus.
    """

    name: str
    title: str
    utterances: int
    speakers: int
    hours: float
    splits: dict[str, int]
    labels: dict[str, int]
    partial: bool
    cautions: tuple[str, ...]
    folder: str


def datasets(home: str | os.PathLike[str] | None = None) -> Table[Dataset]:
    """List the corpora of installed plugins, and those that are prepared in the home.

    Examples:
        >>> corpora = serab.datasets()
        >>> corpora["demo"].language
        'zxx'
    """
    rows = {
        spec.name: Dataset(
            spec.name,
            spec.title,
            spec.language,
            False,
            sum(spec.expected_counts.values()),
            len(spec.labels),
            spec.expected_speakers,
        )
        for spec in plugins.all_specs(Group.DATASETS).values()
    }
    with use_home(home) as used:
        for name in prepared_names(used):
            try:
                summary = load(used, name).summary()
            except SerabError:  # a damaged index counts as not prepared; serab.prepare repairs it
                continue
            rows[name] = Dataset(
                name,
                summary["title"],
                summary["language"],
                True,
                summary["utterances"],
                len(summary["labels"]),
                summary["speakers"],
            )
    return Table(Dataset, [rows[name] for name in sorted(rows)])


def extractors() -> Table[ExtractorInfo]:
    """List the installed extractors.

    Examples:
        >>> serab.extractors()["mfcc-stats"].sample_rate
        16000
    """
    specs = plugins.all_specs(Group.EXTRACTORS)
    rows = [ExtractorInfo(spec.name, spec.dim, spec.sample_rate, spec.summary, spec.licence) for spec in specs.values()]
    return Table(ExtractorInfo, sorted(rows, key=lambda row: row.name))


def classifiers() -> Table[ClassifierInfo]:
    """List the installed classifiers and regressors.

    Examples:
        >>> serab.classifiers()["lda"].title
        'LDA'
    """
    specs = plugins.all_specs(Group.CLASSIFIERS)
    rows = [
        ClassifierInfo(spec.name, spec.title, spec.summary, prod(len(values) for values in spec.search_space.values()))
        for spec in specs.values()
    ]
    return Table(ClassifierInfo, sorted(rows, key=lambda row: row.name))


def prepare(
    name: str,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    copy: bool = False,
    allow_partial: bool = False,
    folder: str = "",
    home: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Corpus:
    """Prepare a corpus from files that you downloaded.

    Args:
        name: the dataset; `serab.datasets()` lists all.
        source: a zip file, a tar file or a folder, or several of them; None for a corpus that serab generates. Files in
            folders are used in place.
        copy: copy all audio into the home.
        allow_partial: accept an incomplete corpus; every result on it is marked.
        folder: the folder to use if the source has several recordings of an utterance.
        home: the home; that of the settings by default.
        progress: show progress on stderr.

    Raises:
        DataError: the source is missing, is not the corpus, or is incomplete.
        SerabError: the name is unknown, or the home cannot be written.

    Examples:
        >>> serab.prepare("demo", progress=False).speakers
        10
    """
    from serab_core.api.evaluation import show_progress
    from serab_core.data.prepare import prepare as prepare_corpus

    spec = plugins.dataset(name)
    sources = [source] if isinstance(source, (str, os.PathLike)) else list(source or ())
    paths = [Path(path).expanduser() for path in sources]
    with use_home(home) as used:
        prepared = prepare_corpus(
            spec, paths, used, show_progress() if progress else Silent(), allow_partial=allow_partial, copy=copy,
            folder=folder,
        )  # fmt: skip
        return _corpus(prepared)


def fetch(
    name: str,
    *,
    accept_licence: bool = False,
    to: str | os.PathLike[str] | None = None,
    home: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Corpus:
    """Download a corpus from its publisher, and prepare it. A corpus that is prepared is returned as it is.

    Args:
        name: the dataset; `serab.datasets()` lists all.
        accept_licence: whether you accept the licence of the corpus. The error without it states the licence.
        to: a folder that keeps the download. By default it is deleted once the corpus is prepared.
        home: the home; that of the settings by default.
        progress: show progress on stderr.

    Raises:
        UsageError: the licence is not accepted, or serab generates the corpus.
        DataError: the corpus must be requested from its authors (the message says how), or no source sends it.
            The same call resumes an interrupted download.
        SerabError: the name is unknown, the home cannot be written, or offline mode disables the network.

    Examples:
        >>> serab.fetch("ravdess", accept_licence=True)  # doctest: +SKIP
        Corpus(name='ravdess', title='RAVDESS', utterances=1440, speakers=24, ...)
    """
    from serab_core.api.evaluation import show_progress
    from serab_core.data import fetch as module

    spec = plugins.dataset(name)
    module.require_fetchable([spec])
    with use_home(home) as used:
        prepared = module.prepared_before(spec, used)
        if prepared is None:
            module.require_acceptance([spec], accept_licence)
            folder = None if to is None else Path(to).expanduser()
            _, prepared = module.fetch(spec, used, show_progress() if progress else Silent(), to=folder)
        assert prepared is not None, "it was to be prepared"
        return _corpus(prepared)


def _corpus(prepared: Prepared) -> Corpus:
    summary = prepared.summary()
    texts = [notice["text"] for notice in summary["notices"] if notice["severity"] in ("fault", "caution")]
    return Corpus(
        name=summary["name"], title=summary["title"], utterances=summary["utterances"], speakers=summary["speakers"],
        hours=summary["hours"], splits=summary["splits"], labels=summary["labels"], partial=summary["partial"],
        cautions=tuple(texts), folder=summary["folder"],
    )  # fmt: skip


def _text(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
