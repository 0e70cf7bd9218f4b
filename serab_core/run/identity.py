"""The identity of a result of one extractor on one task, which contains the identities of its studies."""

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
    """The search over one classifier's parameters on one task.

    Attributes:
        spec: the classifier.
        protocol: the protocol, with the number of trials of this classifier.
        identity: the identity of the outcome.
        grid_size: number of points of one search.
    """

    spec: ClassifierSpec
    protocol: ProtocolSpec
    identity: StudyIdentity
    grid_size: int


@dataclass(frozen=True, slots=True)
class TaskIdentity:
    """The identity of a result: everything that it depends on.

    Attributes:
        studies: studies by the name of the classifier, in the order of the extractor's classifiers.
        key: digest over the extractor, the studies, the protocol and its selection split.
    """

    studies: Mapping[str, Study]
    key: str

    @classmethod
    def of(
        cls, extractor: str, classifiers: Iterable[ClassifierSpec], protocol: ProtocolSpec, source: Source
    ) -> TaskIdentity:
        """Compute the identity.

        Args:
            extractor: the name of the extractor, as its spec states it.
            classifiers: the classifiers that are searched.
            protocol: the protocol of the run.
            source: the embeddings, with corpus statistics if the extractor uses them.

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
