"""Ridge regression, over 11 grid points, for continuous targets such as valence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl
from serab_plugin_classifiers._grids import C_VALUES

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that decomposes the Gram matrix once."""
    from serab_plugin_classifiers._regression import RidgeWorkspace

    return RidgeWorkspace(train, validation)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._regression import KernelRegressor

    return KernelRegressor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator. Its penalty has the same meaning, because predictions are linear in targets."""
    from sklearn.linear_model import Ridge

    return Ridge(**params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `ridge`."""
    register(
        ClassifierSpec(
            name="ridge",
            title="Ridge",
            summary="ridge regression, for continuous targets",
            search_space={"alpha": C_VALUES[::-1]},
            wide_space={"alpha": Range(1e-6, 1e6, log=True)},
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            kind="continuous",
            order=21,
            libraries=("numpy",),
        )
    )
