"""Quadratic discriminant analysis as scikit-learn 0.24 defined it, over 3 points.

Later scikit-learn refuses a class with fewer utterances than dimensions, which most SERAB tasks have; the paper's era
computed it, with a warning. So the definition is kept here (see `_quadratic.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """A workspace that decomposes each class once for every point."""
    from serab_plugin_classifiers._quadratic import QuadraticWorkspace

    return QuadraticWorkspace(train, validation)


def rebuild(exported: Exported) -> Predictor:
    """The predictor of an exported one's arrays."""
    from serab_plugin_classifiers._quadratic import QuadraticPredictor

    return QuadraticPredictor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """scikit-learn's of today, which divides by n where 0.24 divided by n - 1, and refuses what that computed."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return QuadraticDiscriminantAnalysis(**params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Registers `qda`."""
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
                "classifier-learns-wide": "by its definition a class knows no direction outside its own examples' span"
            },
        )
    )
