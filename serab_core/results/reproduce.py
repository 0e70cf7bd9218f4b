"""Repeats a stored result from what it says of itself, and says what is different now."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.data.protocols import find_protocol, with_tuner
from serab_core.errors import UsageError
from serab_core.store.atomic import scratch_folder
from serab_core.store.home import Home
from serab_core.store.results import read_any_result
from serab_core.system.session import current_session, use_session
from serab_core.types import ContinuousResult, TaskResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serab_core.types import ProtocolSpec

_NOT_COMPARED = ("command", "summary", "licence", "citation")
"""Words that change nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of the provenance that is not what it was; "" for one that is not there."""

    part: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A result and its repetition.

    Attributes:
        equal: test utterances of which the chosen classifier told the same, of those that both have.
        utterances: of either.
    """

    then: TaskResult | ContinuousResult
    now: TaskResult | ContinuousResult
    differences: tuple[Difference, ...]
    equal: int
    utterances: int

    @property
    def same(self) -> bool:
        """Whether choice, scores and every prediction are the same."""
        return self.then.chosen == self.now.chosen and self.equal == self.utterances


def read_lock(path: Path) -> TaskResult | ContinuousResult:
    """The result in a file. Raises StoreError for one that is none, UsageError for one without provenance."""
    result = read_any_result(path)
    if not {"protocol", "fingerprint", "dataset"} <= result.provenance.keys():
        raise UsageError(
            "does not say how it was made", where=path, next_step="name a file from results/, as serab eval --json does"
        )
    return result


def protocol_of(result: TaskResult | ContinuousResult) -> ProtocolSpec:
    """How it was made. Raises UnknownNameError, UsageError for a way that is not known here."""
    told = result.provenance["protocol"]
    tuner = str(told.get("tuner", "grid"))
    return with_tuner(find_protocol(result.protocol), tuner, int(told["trials"]) if tuner == "tpe" else None)


def classifiers_of(result: TaskResult | ContinuousResult) -> list[str]:
    """Those that the user had named; none where the protocol's or the extractor's own were searched."""
    told = result.provenance["protocol"]
    return [str(name) for name in told["classifiers"]] if told.get("classifiers_by") == "user" else []


@contextmanager
def scratch_home(home: Home) -> Iterator[Home]:
    """A home with the corpora and weights of another, and nothing computed yet; gone at the end.

    Raises:
        StoreError: it cannot be made.
    """
    with scratch_folder(home.ensure().root) as folder:
        for room in (home.datasets, home.weights):
            (folder / room.name).symlink_to(room.absolute(), target_is_directory=True)
        with use_session(current_session().with_home(folder)):  # workers look for weights in the session's home
            yield Home(folder)


def compared(then: TaskResult | ContinuousResult, now: TaskResult | ContinuousResult) -> Reproduction:
    """Holds a repetition against the result."""
    old, new = (_told(result) for result in (then, now))
    return Reproduction(
        then=then,
        now=now,
        differences=tuple(_differences(_flat(then.provenance), _flat(now.provenance))),
        equal=sum(new.get(identifier) == told for identifier, told in old.items()),
        utterances=len(old.keys() | new.keys()),
    )


def _told(result: TaskResult | ContinuousResult) -> dict[str, Any]:
    test = result.outcome(result.chosen).test
    return {} if test is None else dict(zip(test.ids, test.predicted, strict=True))


def _differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    parts = dict.fromkeys([*then, *now])
    return [
        Difference(part, then.get(part, ""), now.get(part, ""))
        for part in parts
        if then.get(part) != now.get(part) and part.partition(".")[0] not in _NOT_COMPARED
    ]


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Nested tables as one, with names such as `libraries.numpy`."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, own in value.items():
            found |= _flat(own, f"{name}.{key}" if name else str(key))
        return found
    return {name: "" if value is None else str(value)}
