"""The extractor version and the data of a stored result, which are the rows and columns of a leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from serab_core.store.jsonio import digest, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from serab_core.types import Predictions, TaskResult

SHORT = 8  # hex digits of a digest that are shown to people
_ALL_DIGITS = 64  # hex digits of a sha256


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """One version of an extractor: its name and the digest of its fingerprint, "" if none was recorded."""

    name: str
    fingerprint: str

    @classmethod
    def of(cls, result: TaskResult) -> Version:
        """Return the extractor version of a result."""
        fingerprint = result.provenance.get("fingerprint")
        return cls(result.extractor, digest(fingerprint) if fingerprint else "")


@dataclass(frozen=True, order=True, slots=True)
class DataIdentity:
    """The data of one task that a result was computed on.

    Attributes:
        digest: the digest of the task: utterances, labels, speakers and splits.
        audio_digest: the digest of the audio; "" if it is not recorded.
        rows: the digest of the test utterances with labels and speakers, as the result lists them; "" if the data
            were not read from a result.
    """

    digest: str
    audio_digest: str
    rows: str = ""

    @classmethod
    def of(cls, result: TaskResult) -> DataIdentity:
        """Return the data identity of a valid result."""
        dataset = result.provenance.get("dataset", {})
        test = result.outcome().test
        rows = [] if test is None else zip(test.ids, test.truth, (result.speakers[i] for i in test.ids), strict=True)
        listed = sha256(encode(repr(sorted(rows)))).hexdigest()
        return cls(str(dataset.get("digest", "")), str(dataset.get("audio_digest", "")), listed)

    def matches(self, other: DataIdentity) -> bool:
        """Return whether scores on the two are comparable. A digest that is not recorded is not compared."""
        return (
            self.digest == other.digest
            and (not self.audio_digest or not other.audio_digest or self.audio_digest == other.audio_digest)
            and (not self.rows or not other.rows or self.rows == other.rows)
        )

    @property
    def short(self) -> str:
        """The first digits of the digest, for people."""
        return self.digest[:SHORT] or "not recorded"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rows and columns of a set of results.

    Attributes:
        labels: the label of each version: the name, with some digits if there are several versions.
        current: the version of each name that is ranked: the installed one, or else the newest.
        installed: the versions that are installed on this machine.
        columns: the data of each task whose scores are compared.
        prepared: the data of each task that are prepared on this machine.
    """

    labels: Mapping[Version, str]
    current: frozenset[Version]
    installed: frozenset[Version]
    columns: Mapping[str, DataIdentity]
    prepared: Mapping[str, DataIdentity] = field(default_factory=dict)
    _known: dict[int, tuple[TaskResult, bool]] = field(default_factory=dict, repr=False, compare=False)

    def on_column(self, result: TaskResult) -> bool:
        """Return whether a result is on the data of its task's column."""
        known = self._known.get(id(result))  # tables ask for each result several times
        if known is None or known[0] is not result:
            known = result, DataIdentity.of(result).matches(self.columns[result.task])
            self._known[id(result)] = known
        return known[1]

    def title(self, version: Version) -> str:
        """Return the label; if there are several versions, the ranked one is marked."""
        label = self.labels[version]
        if label == version.name or version not in self.current:
            return label
        return f"{label[:-1]}, {'installed' if version in self.installed else 'newest'})"

    def versions_of(self, name: str) -> list[Version]:
        """Return the versions of an extractor, the current one first."""
        return sorted((v for v in self.labels if v.name == name), key=lambda v: (v not in self.current, v))


def make_catalogue(
    results: Sequence[TaskResult],
    installed: Mapping[str, str] | None = None,
    prepared: Mapping[str, DataIdentity] | None = None,
) -> Catalogue:
    """Find the rows and columns of results.

    Args:
        results: results of one protocol, the oldest first.
        installed: digests of the fingerprints of installed extractors, by name.
        prepared: the data that are prepared on this machine, by task.
    """
    installed, prepared = installed or {}, prepared or {}
    newest: dict[str, tuple[bool, int, Version]] = {}
    versions: dict[str, list[Version]] = {}
    for place, result in enumerate(results):
        version = Version.of(result)
        if version not in versions.setdefault(version.name, []):
            versions[version.name].append(version)
        candidate = (not result.imported, place, version)
        newest[version.name] = max(newest.get(version.name, candidate), candidate)
    here = {v for known in versions.values() for v in known if installed.get(v.name) == v.fingerprint}
    here_by_name = {version.name: version for version in here}
    current = {name: here_by_name.get(name, version) for name, (*_, version) in newest.items()}
    return Catalogue(
        _labels(versions), frozenset(current.values()), frozenset(here), _columns(results, prepared), prepared
    )


def _labels(versions: Mapping[str, Sequence[Version]]) -> dict[Version, str]:
    """Return a unique label for each version, with as many digits as are needed to distinguish the versions."""
    labels = {known[0]: name for name, known in versions.items() if len(known) == 1}
    for name, known in versions.items():
        if len(known) > 1:
            digits = SHORT
            while digits < _ALL_DIGITS and (
                len({v.fingerprint[:digits] for v in known}) < len(known)
                or any(f"{name} ({v.fingerprint[:digits]})" in versions for v in known)
            ):
                digits += 1
            labels |= {v: f"{name} ({v.fingerprint[:digits] or 'not recorded'})" for v in known}
    return labels


def _columns(results: Sequence[TaskResult], prepared: Mapping[str, DataIdentity]) -> dict[str, DataIdentity]:
    """Return the data of each task's column.

    These are the prepared data if a result is on them, or else the data with the most extractors; the newest result
    settles ties.
    """
    by_task: dict[str, list[tuple[int, TaskResult, DataIdentity]]] = {}
    for place, result in enumerate(results):
        by_task.setdefault(result.task, []).append((place, result, DataIdentity.of(result)))
    columns = {}
    for task, entries in by_task.items():
        here = prepared.get(task)

        def rank(candidate: DataIdentity, entries: Sequence[Any] = entries, here: DataIdentity | None = here) -> Any:
            members = [(place, Version.of(result)) for place, result, data in entries if data.matches(candidate)]
            is_prepared = here is not None and candidate.matches(here)
            count = len({version for _, version in members})
            return is_prepared, count, bool(candidate.audio_digest), max(place for place, _ in members)

        columns[task] = max(dict.fromkeys(data for *_, data in entries), key=rank)
    return columns


def content_digest(result: TaskResult) -> str:
    """Return the digest of a result's content: predictions, the extractor and the data.

    The machine, the command, times and cautions do not count: the same evaluation on two machines has equal content.
    Scores follow from predictions. Probabilities are left out, because their last digits differ between processors.
    """
    document = asdict(result)
    outcomes = [[outcome.classifier, outcome.params, _rows(outcome.test)] for outcome in result.outcomes]
    provenance = result.provenance
    data = provenance.get("dataset", {})
    ignored = ("outcomes", "scores", "provenance", "cautions", "splits", "faulty", "imported", "profile")
    claims = {name: value for name, value in document.items() if name not in ignored}
    version = Version.of(result).fingerprint
    return digest([claims, outcomes, version, data.get("digest", ""), data.get("audio_digest", "")])


def _rows(test: Predictions | None) -> list[tuple[Any, ...]]:
    return [] if test is None else list(zip(test.ids, test.truth, test.predicted, strict=True))


def conflicting_keys(results: Iterable[TaskResult]) -> set[tuple[str, str]]:
    """Return the extractor and key of results that have both in common and differ in their content."""
    results = list(results)
    counts = Counter((result.extractor, result.key) for result in results)
    contents: dict[tuple[str, str], set[str]] = {}
    for result in results:
        if counts[result.extractor, result.key] > 1:
            contents.setdefault((result.extractor, result.key), set()).add(content_digest(result))
    return {pair for pair, digests in contents.items() if len(digests) > 1}
