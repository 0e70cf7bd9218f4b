"""Support vector machine: linear and radial kernels, over 44 grid points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl
from serab_plugin_classifiers._grids import C_VALUES, CLASS_WEIGHTS

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that computes the Gram matrix once."""
    from serab_plugin_classifiers._kernels import KernelWorkspace

    return KernelWorkspace(train, validation, seed)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._kernels import VotingPredictor

    return VotingPredictor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator."""
    from sklearn.svm import SVC

    return SVC(max_iter=10_000, random_state=seed, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `svc`."""
    register(
        ClassifierSpec(
            name="svc",
            title="SVC",
            summary="support vector machine, linear or radial kernel",
            search_space={"kernel": ("rbf", "linear"), "C": C_VALUES, "class_weight": CLASS_WEIGHTS},
            wide_space={
                "kernel": ("rbf", "linear"),
                "C": Range(1e-6, 1e6, log=True),
                "class_weight": CLASS_WEIGHTS,
                "gamma_by_scale": Range(1e-2, 1e2, log=True, when=("kernel", "rbf")),
            },
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            order=5,
            libraries=("scikit-learn",),
        )
    )
