"""Reproduction of a stored result from its provenance, and comparison of both results."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.data.protocols import find_protocol, with_tuner
from serab_core.errors import UsageError
from serab_core.score.outcome import complete_result
from serab_core.store.atomic import scratch_folder
from serab_core.store.home import Home
from serab_core.store.results import read_result
from serab_core.system.session import current_session, use_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serab_core.types import ProtocolSpec, TaskResult

_NOT_COMPARED = ("command", "summary", "licence", "citation")
"""Provenance keys that cannot affect a result."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of the provenance whose value differs; "" stands for a missing value."""

    part: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A stored result and its reproduction.

    Attributes:
        equal: number of test utterances for which both chosen classifiers predict the same.
        utterances: number of test utterances that occur in at least one of the two results.
    """

    then: TaskResult
    now: TaskResult
    differences: tuple[Difference, ...]
    equal: int
    utterances: int

    @property
    def same(self) -> bool:
        """Whether the chosen classifier and every prediction, and therefore the scores, are the same."""
        return self.then.chosen == self.now.chosen and self.equal == self.utterances


def read_lock(path: Path) -> TaskResult:
    """Return the result in a file. Raises StoreError for an invalid file, UsageError for missing provenance."""
    result = complete_result(read_result(path))
    if not {"protocol", "fingerprint", "dataset"} <= result.provenance.keys():
        raise UsageError(
            "has no provenance, so it cannot be reproduced",
            where=path,
            next_step="name a file of the folder results/ of the home",
        )
    return result


def protocol_of(result: TaskResult) -> ProtocolSpec:
    """Return the protocol of a result. Raises UnknownNameError or UsageError if it is not known here."""
    protocol = result.provenance["protocol"]
    tuner = str(protocol.get("tuner", "grid"))
    return with_tuner(find_protocol(result.protocol), tuner, int(protocol["trials"]) if tuner == "tpe" else None)


def classifiers_of(result: TaskResult) -> list[str]:
    """Return the classifiers that the user named; none if those of the protocol or the extractor were searched."""
    protocol = result.provenance["protocol"]
    return [str(name) for name in protocol["classifiers"]] if protocol.get("classifiers_by") == "user" else []


@contextmanager
def scratch_home(home: Home) -> Iterator[Home]:
    """Create a temporary home that shares the corpora and weights of another home and has no embeddings or results.

    Raises:
        StoreError: the home cannot be created.
    """
    with scratch_folder(home.ensure().root) as folder:
        for room in (home.datasets, home.weights):
            (folder / room.name).symlink_to(room.absolute(), target_is_directory=True)
        session = replace(current_session().data(), home=folder)  # workers read weights from the session's home
        try:
            with use_session(session):
                yield Home(folder)
        finally:
            session.close()


def compared(then: TaskResult, now: TaskResult) -> Reproduction:
    """Compare a reproduction with the stored result."""
    old, new = (_predictions(result) for result in (then, now))
    return Reproduction(
        then=then,
        now=now,
        differences=tuple(_differences(_flat(then.provenance), _flat(now.provenance))),
        equal=sum(new.get(identifier) == prediction for identifier, prediction in old.items()),
        utterances=len(old.keys() | new.keys()),
    )


def _predictions(result: TaskResult) -> dict[str, Any]:
    test = result.outcome().test
    return {} if test is None else dict(zip(test.ids, test.predicted, strict=True))


def _differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys([*then, *now])
    return [
        Difference(name, then.get(name, ""), now.get(name, ""))
        for name in names
        if then.get(name) != now.get(name) and name.partition(".")[0] not in _NOT_COMPARED
    ]


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Flatten nested tables into one, with names such as `libraries.numpy`."""
    if isinstance(value, dict):
        flat: dict[str, str] = {}
        for key, item in value.items():
            flat |= _flat(item, f"{name}.{key}" if name else str(key))
        return flat
    return {name: "" if value is None else str(value)}
