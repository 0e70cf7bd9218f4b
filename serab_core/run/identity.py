"""The identity of one extractor's result on one task: every study's, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from serab_core.errors import PluginError
from serab_core.store.jsonio import digest
from serab_core.tune.classifier import StudyIdentity, study_fields
from serab_core.tune.points import grid_points
from serab_core.tune.wide import with_trial_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serab_core.run.jobs import Source
    from serab_core.types import ClassifierSpec, ProtocolSpec


@dataclass(frozen=True, slots=True)
class Study:
    """One classifier's search on one task.

    Attributes:
        spec: the classifier.
        protocol: the protocol, with the classifier's share of the trials.
        identity: what the outcome depends on.
        grid_size: the points of one search.
    """

    spec: ClassifierSpec
    protocol: ProtocolSpec
    identity: StudyIdentity
    grid_size: int


@dataclass(frozen=True, slots=True)
class TaskIdentity:
    """What a result depends on.

    Attributes:
        studies: by the name of the classifier, in the order of the extractor's classifiers.
        key: digest over the studies and over how the protocol chooses among them.
    """

    studies: Mapping[str, Study]
    key: str

    @classmethod
    def of(
        cls, extractor: str, classifiers: Iterable[ClassifierSpec], protocol: ProtocolSpec, source: Source
    ) -> TaskIdentity:
        """Compute the identity.

        Args:
            extractor: the name of its spec.
            classifiers: those that are searched.
            protocol: the protocol of the run.
            source: the embeddings, with their corpus statistics where the extractor uses them.

        Raises:
            PluginError: a library that a classifier names is not installed.
        """
        specs = tuple(classifiers)
        studies = {}
        for spec in specs:
            shared = with_trial_share(protocol, specs, spec.name)
            identity = StudyIdentity.of(_fields(spec, shared, source))
            studies[spec.name] = Study(spec, shared, identity, shared.trials or len(grid_points(spec)))
        key = digest(
            {
                "protocol": protocol.name,
                "selection": protocol.selection,
                "extractor": extractor,
                "studies": {name: study.identity.study for name, study in studies.items()},
            }
        )
        return cls(studies, key)


def _fields(spec: ClassifierSpec, protocol: ProtocolSpec, source: Source) -> dict[str, Any]:
    try:
        libraries = {name: metadata.version(name) for name in sorted(spec.libraries)}
    except metadata.PackageNotFoundError as error:
        raise PluginError(
            f"needs {error.name}, which is not installed", where=spec.name, next_step=f"pip install {error.name}"
        ) from error
    fields = study_fields(spec, protocol, source.task, source.embeddings_id, libraries)
    return fields | ({"layers": list(source.layers)} if source.layers else {})
