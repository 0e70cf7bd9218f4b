"""Utterance lists of the corpora: one CSV for each corpus, one row for each utterance."""

from __future__ import annotations

import csv
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Listed(NamedTuple):
    """A row of a list: an utterance, its label and speaker, and its split by the paper's rule.

    `label` is empty for IEMOCAP, because its labels may only come from the corpus itself. `seconds` is the published
    length, or empty where the length of each utterance is not published.
    """

    utterance: str
    label: str
    speaker: str
    split: str
    seconds: str


@cache
def read_list(name: str) -> tuple[Listed, ...]:
    """Return the rows of a corpus's list, sorted by utterance. A column that the list lacks is empty in each row."""
    text = files("serab_plugin_datasets").joinpath(f"lists/{name}.csv").read_text(encoding="ascii")
    header, *rows = csv.reader(text.splitlines())
    assert set(header) <= set(Listed._fields)
    columns = [header.index(field) if field in header else None for field in Listed._fields]
    return tuple(Listed(*("" if column is None else row[column] for column in columns)) for row in rows)


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
        layout: returns the path of a row's file in the download, without its extension.
    """

    def example() -> dict[str, bytes]:
        return {f"{layout(row)}.wav": b"" for row in read_list(name)}

    return example
