"""Logistic regression: scikit-learn's `lbfgs` at its default tolerance, over 22 points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import ClassifierSpec, estimator_workspace, hookimpl
from serab_plugin_classifiers._grids import C_VALUES, CLASS_WEIGHTS, MAX_ITER

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

    from serab_core.hookspecs import Register
    from serab_core.types import Params

SERAB_API_VERSION = 1


def make(params: Params, seed: int) -> LogisticRegression:
    """The estimator for one point."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=MAX_ITER, random_state=seed, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Registers `lr`."""
    register(
        ClassifierSpec(
            name="lr",
            title="LR",
            summary="logistic regression, L2, lbfgs",
            search_space={"C": C_VALUES, "class_weight": CLASS_WEIGHTS},
            prepare=estimator_workspace(make),
            order=2,
            libraries=("scikit-learn",),
        )
    )
