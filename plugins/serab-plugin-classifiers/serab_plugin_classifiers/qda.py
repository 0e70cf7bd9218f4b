"""Quadratic discriminant analysis as scikit-learn 0.24 defined it, over 3 grid points.

Later versions of scikit-learn refuse a class with fewer utterances than dimensions, which most SERAB tasks have. The
version of the paper computed it, with a warning. So this plugin implements that definition (see `_quadratic.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that decomposes each class once for all grid points."""
    from serab_plugin_classifiers._quadratic import QuadraticWorkspace

    return QuadraticWorkspace(train, validation)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._quadratic import QuadraticPredictor

    return QuadraticPredictor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return current scikit-learn's estimator, which divides by n, not n - 1, and refuses collinear classes."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return QuadraticDiscriminantAnalysis(**params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `qda`."""
    register(
        ClassifierSpec(
            name="qda",
            title="QDA",
            summary="quadratic discriminant analysis, as scikit-learn 0.24 computed it",
            search_space={"reg_param": (0.0, 0.1, 0.25)},
            wide_space={"reg_param": Range(0.0, 1.0)},
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            order=3,
            libraries=("numpy", "scipy"),
            expected_failures={
                "classifier-learns-wide": "by definition, a class ignores directions outside the span of its examples"
            },
        )
    )
