"""Support vector machine: linear and radial kernels, over 44 points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import ClassifierSpec, estimator_workspace, hookimpl
from serab_plugin_classifiers._grids import C_VALUES, CLASS_WEIGHTS, MAX_ITER

if TYPE_CHECKING:
    from sklearn.svm import SVC

    from serab_core.hookspecs import Register
    from serab_core.types import Params

SERAB_API_VERSION = 1


def make(params: Params, seed: int) -> SVC:
    """The estimator for one point."""
    from sklearn.svm import SVC

    return SVC(max_iter=MAX_ITER, random_state=seed, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Registers `svc`."""
    register(
        ClassifierSpec(
            name="svc",
            title="SVC",
            summary="support vector machine, linear or radial kernel",
            search_space={"kernel": ("rbf", "linear"), "C": C_VALUES, "class_weight": CLASS_WEIGHTS},
            prepare=estimator_workspace(make),
            order=5,
            libraries=("scikit-learn",),
        )
    )
