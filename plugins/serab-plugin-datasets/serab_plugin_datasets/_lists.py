"""Utterance lists of the corpora: one CSV for each corpus, one row for each utterance."""

from __future__ import annotations

import csv
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Listed(NamedTuple):
    """A row: an utterance, its label and speaker, and the split that the paper's rule puts it in.

    `label` is empty for IEMOCAP, whose labels are in the corpus itself and stay there. `seconds` is the published
    length, empty where it is not known for each utterance.
    """

    utterance: str
    label: str
    speaker: str
    split: str
    seconds: str


@cache
def read_list(name: str) -> tuple[Listed, ...]:
    """The rows of a corpus's list, sorted by utterance. A column that the list lacks is empty in each row."""
    text = files("serab_plugin_datasets").joinpath(f"lists/{name}.csv").read_text(encoding="ascii")
    header, *rows = csv.reader(text.splitlines())
    assert set(header) <= set(Listed._fields)
    column = [header.index(field) if field in header else None for field in Listed._fields]
    return tuple(Listed(*("" if place is None else row[place] for place in column)) for row in rows)


def ids_of(name: str) -> Callable[[], frozenset[str]]:
    """Return a function for a spec's `expected_ids`. It reads the list when it is called."""
    return partial(_ids, name)


@cache
def _ids(name: str) -> frozenset[str]:
    return frozenset(row.utterance for row in read_list(name))


def seconds_of(name: str) -> Callable[[], dict[str, float]]:
    """Return a function for a spec's `expected_seconds`: the published length of each utterance."""

    def seconds() -> dict[str, float]:
        return {row.utterance: float(row.seconds) for row in read_list(name)}

    return seconds


def example_of(name: str, layout: Callable[[Listed], str]) -> Callable[[], dict[str, bytes]]:
    """Return a function for a spec's `example`: the files of the download, all empty.

    Args:
        name: the corpus.
        layout: the file of a row, without its ending, as the download names it.
    """

    def example() -> dict[str, bytes]:
        return {f"{layout(row)}.wav": b"" for row in read_list(name)}

    return example
