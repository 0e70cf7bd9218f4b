"""Random forest of 100 trees, over 30 grid points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl
from serab_plugin_classifiers._grids import CLASS_WEIGHTS

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Exported, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """Return a workspace that caches the trees that no depth limit has changed."""
    from serab_plugin_classifiers._forest import ForestWorkspace

    return ForestWorkspace(train, validation, seed)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    from serab_plugin_classifiers._forest import ForestPredictor

    return ForestPredictor.rebuild(exported)


def reference(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, random_state=seed, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `rf`."""
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
            wide_space={
                "max_depth": Range(3, 40, integer=True),
                "min_samples_split": Range(2, 20, integer=True),
                "class_weight": CLASS_WEIGHTS,
            },
            trial_weight=0.5,
            prepare=prepare,
            rebuild=rebuild,
            reference=reference,
            order=4,
        )
    )
