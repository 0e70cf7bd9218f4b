"""Logistic regression: scikit-learn's `lbfgs` at its default tolerance, over 22 grid points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl
from serab_plugin_classifiers._grids import C_VALUES, CLASS_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import Examples, Exported, GridValue, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that represents the examples in at most as many coordinates as there are utterances."""
    from serab_plugin_classifiers._logistic import LogisticWorkspace

    return LogisticWorkspace(train, validation)


def prepare_converged(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that solves to the optimum, along the path of C."""
    from serab_plugin_classifiers._logistic import ConvergedWorkspace

    return ConvergedWorkspace(train, validation)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._linear import LinearPredictor

    return LinearPredictor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=10_000, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `lr` and `lr/converged`."""
    space = {"C": C_VALUES, "class_weight": CLASS_WEIGHTS}
    wide: dict[str, Range | Sequence[GridValue]] = {"C": Range(1e-6, 1e6, log=True), "class_weight": CLASS_WEIGHTS}
    register(
        ClassifierSpec(
            name="lr",
            title="LR",
            summary="logistic regression, L2, lbfgs at its default tolerance",
            search_space=space,
            wide_space=wide,
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            order=2,
            libraries=("numpy", "scipy"),
        )
    )
    register(
        ClassifierSpec(
            name="lr/converged",
            title="LR, converged",
            summary="logistic regression, L2, at its optimum; no protocol uses it",
            search_space=space,
            wide_space=wide,
            prepare=prepare_converged,
            rebuild=rebuild,
            reference=reference,
            order=12,
            libraries=("numpy", "scipy"),
        )
    )
