"""Linear discriminant analysis: least squares with Ledoit-Wolf shrinkage, one grid point.

The results equal scikit-learn's. With fewer utterances than dimensions, they are computed without the d x d covariance
(see `_linear.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace over both splits."""
    from serab_plugin_classifiers._linear import LinearWorkspace

    return LinearWorkspace(train, validation)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._linear import LinearPredictor

    return LinearPredictor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver=str(params["solver"]), shrinkage="auto")


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `lda`."""
    register(
        ClassifierSpec(
            name="lda",
            title="LDA",
            summary="linear discriminant analysis, Ledoit-Wolf shrinkage",
            search_space={"solver": ("lsqr",)},
            wide_space={
                "solver": ("lsqr",),
                "rule": ("Ledoit-Wolf", "fixed"),
                "shrinkage": Range(0.0, 1.0, when=("rule", "fixed")),
            },
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            order=1,
            libraries=("scikit-learn",),
        )
    )
