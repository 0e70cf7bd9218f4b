"""The corpora whose every utterance is known: one list each, a row an utterance."""

from __future__ import annotations

import csv
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Listed(NamedTuple):
    """A row: an utterance, its label and speaker, and the split that the paper's rule puts it in."""

    utterance: str
    label: str
    speaker: str
    split: str


@cache
def read_list(name: str) -> tuple[Listed, ...]:
    """The rows of a corpus's list, sorted by utterance."""
    text = files("serab_plugin_datasets").joinpath(f"lists/{name}.csv").read_text(encoding="ascii")
    header, *rows = csv.reader(text.splitlines())
    assert tuple(header) == Listed._fields
    return tuple(Listed(*row) for row in rows)


def ids_of(name: str) -> Callable[[], frozenset[str]]:
    """What a spec's `expected_ids` takes: reads the list when it is asked for."""
    return partial(_ids, name)


@cache
def _ids(name: str) -> frozenset[str]:
    return frozenset(row.utterance for row in read_list(name))


def example_of(name: str, layout: Callable[[Listed], str]) -> Callable[[], dict[str, bytes]]:
    """What a spec's `example` takes: a row's file, without its ending, as the corpus's download names it."""

    def example() -> dict[str, bytes]:
        return {f"{layout(row)}.wav": b"" for row in read_list(name)}

    return example
