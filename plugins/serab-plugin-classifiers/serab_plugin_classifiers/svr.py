"""Support vector regression: linear and radial kernels, over 22 grid points, for continuous targets such as valence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl
from serab_plugin_classifiers._grids import C_VALUES

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that computes the Gram matrix once."""
    from serab_plugin_classifiers._regression import SvrWorkspace

    return SvrWorkspace(train, validation)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._regression import KernelRegressor

    return KernelRegressor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator on standardised targets."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    return TransformedTargetRegressor(SVR(max_iter=10_000, **params), transformer=StandardScaler())


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `svr`."""
    register(
        ClassifierSpec(
            name="svr",
            title="SVR",
            summary="support vector regression, for continuous targets",
            search_space={"kernel": ("rbf", "linear"), "C": C_VALUES},
            wide_space={
                "kernel": ("rbf", "linear"),
                "C": Range(1e-6, 1e6, log=True),
                "gamma_by_scale": Range(1e-2, 1e2, log=True, when=("kernel", "rbf")),
            },
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            kind="continuous",
            order=22,
            libraries=("scikit-learn",),
        )
    )
