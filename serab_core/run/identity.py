"""The identity of a result of one extractor on one task, which contains the identities of its studies."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from serab_core.data.protocols import with_seed
from serab_core.errors import PluginError, TuningError
from serab_core.score.released import CHOICE
from serab_core.store.jsonio import digest
from serab_core.tune.classifier import StudyIdentity, study_fields
from serab_core.tune.points import grid_points
from serab_core.tune.wide import with_trial_share
from serab_core.types import DEFAULT_SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        key: digest over the extractor, the studies, the protocol, its selection split and, for the test split, the
            rule of the choice.
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
        sizes = grid_sizes(specs, protocol)
        studies = {}
        for spec in specs:
            shared = _study_protocol(spec, with_trial_share(protocol, specs, spec.name))
            studies[spec.name] = Study(spec, shared, StudyIdentity.of(_fields(spec, shared, source)), sizes[spec.name])
        key = digest(
            {
                "protocol": protocol.name,
                "selection": protocol.selection,
                **({"choice": CHOICE} if protocol.selection == "test" else {}),
                "extractor": extractor,
                "studies": {name: study.identity.study for name, study in studies.items()},
            }
        )
        return cls(studies, key)


def grid_sizes(classifiers: Sequence[ClassifierSpec], protocol: ProtocolSpec) -> dict[str, int]:
    """Return the number of points of one search, by classifier; trials are divided among the classifiers."""
    shared = {spec.name: with_trial_share(protocol, classifiers, spec.name) for spec in classifiers}
    return {spec.name: shared[spec.name].trials or len(grid_points(spec)) for spec in classifiers}


def depends_on_seed(spec: ClassifierSpec, protocol: ProtocolSpec) -> bool:
    """Return whether the outcome of a study depends on the seed: of its classifier, or of a search by TPE."""
    return spec.uses_seed or protocol.tuner != "grid"


def _study_protocol(spec: ClassifierSpec, protocol: ProtocolSpec) -> ProtocolSpec:
    """Return the protocol of a study: with the default seed if its outcome does not depend on the seed."""
    return protocol if depends_on_seed(spec, protocol) else with_seed(protocol, DEFAULT_SEED)


def require_same_classifier(spec: ClassifierSpec, identity: StudyIdentity) -> None:
    """Compare this process's classifier with the one of the process that planned the study.

    Raises:
        TuningError: version, code or a library differs, so that its outcome would be stored under a wrong identity.
    """
    here = {"version": spec.version, "code": dict(spec.code), "libraries": _library_versions(spec)}
    different = [name for name, value in here.items() if value != identity.fields[name]]
    if different:
        raise TuningError(
            f"differs in this worker from the process that planned the run ({', '.join(different)})",
            where=spec.name,
            next_step="give every worker the same environment",
        )


def _fields(spec: ClassifierSpec, protocol: ProtocolSpec, source: Source) -> dict[str, Any]:
    fields = study_fields(spec, protocol, source.task, source.embeddings_id, _library_versions(spec))
    return fields | ({"layers": list(source.layers)} if source.layers else {})


def _library_versions(spec: ClassifierSpec) -> dict[str, str]:
    try:
        return {name: metadata.version(name) for name in sorted(spec.libraries)}
    except metadata.PackageNotFoundError as error:
        raise PluginError(
            f"needs {error.name}, which is not installed", where=spec.name, next_step=f"pip install {error.name}"
        ) from error
