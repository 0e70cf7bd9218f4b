"""The provenance of a result: versions, fingerprint, digests, seeds, command and machine."""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serab_core
from serab_core.embed.fingerprint import fingerprint
from serab_core.plugins.proxy import IsolatedSpec
from serab_core.system.cpu import available_cores, processor_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serab_core.run.jobs import Source
    from serab_core.run.plan import Plan, PlannedExtractor

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "optuna", "h5py", "soundfile", "soxr")


def provenance(plan: Plan, extractor: PlannedExtractor, source: Source) -> dict[str, Any]:
    """Return everything needed to reproduce a result. The same command on the same machine gives the same values."""
    searched = [classifier.name for classifier in extractor.classifiers]
    return {
        "serab": serab_core.__version__,
        "python": platform.python_version(),
        "libraries": library_versions(_LIBRARIES),
        "plugins": _plugin_versions(),
        **({"runs_in": dict(extractor.spec.runs_in)} if isinstance(extractor.spec, IsolatedSpec) else {}),
        "fingerprint": fingerprint(extractor.spec),
        "classifier_code": {spec.name: dict(spec.code) for spec in extractor.classifiers},
        "summary": extractor.spec.summary,
        "licence": extractor.spec.licence,
        "citation": extractor.spec.citation,
        "corpus_state": dict(source.state) if source.state is not None else None,
        "dataset": {
            "digest": source.task.digest,
            "audio_digest": source.task.audio_digest,
            "variant": source.task.variant,
            "title": source.task.title,
            **_terms(source.task.name.partition("/")[0]),
        },
        "protocol": {
            "name": plan.protocol.name,
            "splits": plan.protocol.splits,
            "normalisation": plan.protocol.normalisation,
            "objective": plan.protocol.objective,
            "selection": plan.protocol.selection,
            "tuner": plan.protocol.tuner,
            "trials": plan.protocol.trials,
            "classifiers": searched,
            "classifiers_by": "protocol"
            if searched == list(plan.protocol.classifiers)
            else "extractor"
            if searched == list(extractor.spec.classifiers)
            else "user",
        },
        "seeds": {"search": plan.protocol.seed, "classifiers": plan.protocol.seed, "split": 0},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processor": processor_name(),
            "cores": available_cores(),
        },
    }


def _terms(task: str) -> dict[str, str]:
    """Return the licence and the citation of a corpus that a plugin declares."""
    from serab_core.plugins import dataset_or_none

    spec = dataset_or_none(task)
    return {} if spec is None else {"licence": spec.licence, "citation": spec.citation}


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of the installed ones of some distributions, by name."""
    versions = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _plugin_versions() -> dict[str, str]:
    from serab_core.plugins.entry_points import registry

    return {r.distribution: r.version for r in registry().records() if r.distribution}
