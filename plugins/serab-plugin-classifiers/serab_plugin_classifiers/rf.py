"""Random forest of 100 trees, over 30 points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import ClassifierSpec, estimator_workspace, hookimpl
from serab_plugin_classifiers._grids import CLASS_WEIGHTS

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

    from serab_core.hookspecs import Register
    from serab_core.types import Params

SERAB_API_VERSION = 1


def make(params: Params, seed: int) -> RandomForestClassifier:
    """The estimator for one point."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, n_jobs=1, random_state=seed, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Registers `rf`."""
    register(
        ClassifierSpec(
            name="rf",
            title="RF",
            summary="random forest, 100 trees",
            search_space={
                "max_depth": (5, 10, 15, 20, 25),
                "min_samples_split": (2, 5, 10),
                "class_weight": CLASS_WEIGHTS,
            },
            prepare=estimator_workspace(make),
            order=4,
            libraries=("scikit-learn",),
        )
    )
