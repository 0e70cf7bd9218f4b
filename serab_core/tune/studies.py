"""Records of studies: the extractor, task and classifier of each study, and its progress."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from serab_core.errors import ContentError, UnknownNameError
from serab_core.store import codec
from serab_core.store.jsonio import write_json
from serab_core.store.results import journal_path, outcome_path, read_outcome
from serab_core.system.hints import command

if TYPE_CHECKING:
    from serab_core.store.home import Home
    from serab_core.tune.classifier import StudyIdentity
    from serab_core.types import ClassifierOutcome, ClassifierSpec, ProtocolSpec, Task

SCHEMA = "serab.study/1"
_FOLDER = "about"


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """The record that is written when a study begins.

    Attributes:
        study: name of the outcome.
        journal: name of the journal of trials, which a study with more trials shares.
        fold: the fold of the protocol; "" for a protocol with one split.
    """

    study: str
    journal: str
    extractor: str
    task: str
    protocol: str
    classifier: str
    tuner: str
    points: int
    fold: str = ""

    @property
    def where(self) -> str:
        """The protocol, and the fold if there are several."""
        return f"{self.protocol}, fold {self.fold}" if self.fold else self.protocol

    @classmethod
    def of(
        cls,
        extractor: str,
        task: Task,
        protocol: ProtocolSpec,
        spec: ClassifierSpec,
        identity: StudyIdentity,
        points: int,
    ) -> StudyRecord:
        """Return the record of a study that begins.

        Args:
            points: number of points of the search, over all layers.
        """
        return cls(
            study=identity.study,
            journal=identity.journal(),
            extractor=extractor,
            task=task.name,
            protocol=protocol.name,
            classifier=spec.name,
            tuner=protocol.tuner,
            points=points,
            fold=task.fold,
        )


class StudyDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A study record as it is stored; `study` and `journal` become file names."""

    schema: Literal["serab.study/1"]
    study: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8,64}$")]
    journal: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8,64}$")]
    extractor: str
    task: str
    protocol: str
    classifier: str
    tuner: str
    points: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    fold: str = ""

    def record(self) -> StudyRecord:
        """Return the record as a dataclass."""
        return StudyRecord(**{name: getattr(self, name) for name in self.__struct_fields__ if name != "schema"})


@dataclass(frozen=True, slots=True)
class StudyState:
    """The state of a study: its outcome once it has ended, or else the number of trials in its journal."""

    record: StudyRecord
    outcome: ClassifierOutcome | None
    trials: int

    def summary(self) -> dict[str, Any]:
        """Return plain values for lists and `--json`."""
        best = self.outcome
        return {
            **asdict(self.record),
            "finished": best is not None,
            "trials": self.trials,
            "validation": best.validation if best else None,
            "params": dict(best.params) if best and best.params else None,
        }


def write_study_record(home: Home, record: StudyRecord) -> None:
    """Write a study record. Raises StoreError."""
    write_json(home.studies / _FOLDER / f"{record.study}.json", {"schema": SCHEMA, **asdict(record)})


def list_studies(home: Home) -> list[StudyState]:
    """Return every study of a home, sorted by extractor, task, protocol and classifier. Raises StoreError."""
    paths = sorted((home.studies / _FOLDER).glob("*.json"))
    states = [_state(home, codec.read(path, StudyDocument).record()) for path in paths]
    return sorted(states, key=lambda s: (s.record.extractor, s.record.task, s.record.where, s.record.classifier))


def find_study(home: Home, start: str) -> StudyState:
    """Return the study whose name begins with `start`.

    Raises:
        UnknownNameError: no study, or several studies match.
        StoreError: a record cannot be read.
    """
    matching = [state for state in list_studies(home) if state.record.study.startswith(start)]
    if len(matching) != 1:
        problem = "no study's name begins" if not matching else f"the names of {len(matching)} studies begin"
        raise UnknownNameError(f"{problem} with {start!r}", next_step=f"{command('studies ls')} lists them")
    return matching[0]


def _state(home: Home, record: StudyRecord) -> StudyState:
    path = outcome_path(home, record.study)
    if path.exists():
        outcome = read_outcome(path)
        return StudyState(record, outcome, len(outcome.points))
    journal = journal_path(home, record.journal)
    try:
        from serab_core.tune.study import ended_trials  # imported here, because it imports Optuna

        return StudyState(record, None, ended_trials(journal, record.classifier) if journal.exists() else 0)
    except ContentError:  # damaged: the next run starts the study from its first trial
        return StudyState(record, None, 0)
