"""Registers the classifiers with the paper's grids. All entry points of this distribution name this module.

The code of each classifier is in another module, such as `_kernels.py`, which is imported at its first use.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from serab_core.plugin import ClassifierSpec, Range, hookimpl
from serab_plugin_classifiers._grids import C_VALUES, CLASS_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from serab_core.plugin import Examples, Exported, GridValue, Params, Predictor, Register, Workspace

SERAB_API_VERSION = 1
C_RANGE = Range(1e-6, 1e6, log=True)
GAMMA_RANGE = Range(1e-2, 1e2, log=True, when=("kernel", "rbf"))
KERNELS = ("rbf", "linear")


def _prepare(module: str, workspace: str, *, seeded: bool = False) -> Callable[..., Workspace]:
    """Return a function that imports a module of this package, and makes its workspace of a task.

    Args:
        module: the module.
        workspace: the class of the workspace.
        seeded: whether the workspace takes the seed.
    """

    def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
        make = getattr(import_module(f"{__package__}.{module}"), workspace)
        built: Workspace = make(train, validation, seed) if seeded else make(train, validation)
        return built

    return prepare


def _rebuild(module: str, predictor: str) -> Callable[[Exported], Predictor]:
    """Return a function that imports a module of this package, and rebuilds its predictor from an export."""

    def rebuild(exported: Exported) -> Predictor:
        rebuilt: Predictor = getattr(import_module(f"{__package__}.{module}"), predictor).rebuild(exported)
        return rebuilt

    return rebuild


def _svc(params: Params, seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(max_iter=10_000, random_state=seed, **params)


def _svr(params: Params, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    return TransformedTargetRegressor(SVR(max_iter=10_000, **params), transformer=StandardScaler())


def _ridge(params: Params, seed: int) -> Any:
    """Return scikit-learn's estimator. Its penalty has the same meaning, because predictions are linear in targets."""
    from sklearn.linear_model import Ridge

    return Ridge(**params)


def _qda(params: Params, seed: int) -> Any:
    """Return current scikit-learn's estimator, which divides by n, not n - 1, and refuses collinear classes."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return QuadraticDiscriminantAnalysis(**params)


def _lda(params: Params, seed: int) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver=str(params["solver"]), shrinkage="auto")


def _rf(params: Params, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, random_state=seed, **params)


def _lr(params: Params, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=10_000, **params)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register the paper's five classifiers, and both regressors."""
    for spec in (*_discriminants(), *_logistic(), *_others(), *_regressors()):
        register(spec)


def _discriminants() -> Iterator[ClassifierSpec]:
    """Yield `lda` and `qda`.

    LDA's results equal scikit-learn's. With fewer utterances than dimensions, they are computed without the d x d
    covariance (see `_linear.py`). QDA is that of scikit-learn 0.24. Later versions refuse a class with fewer utterances
    than dimensions, which most SERAB tasks have. The version of the paper computed it, with a warning (see
    `_quadratic.py`).
    """
    yield ClassifierSpec(
        name="lda",
        title="LDA",
        summary="linear discriminant analysis, Ledoit-Wolf shrinkage",
        search_space={"solver": ("lsqr",)},
        wide_space={
            "solver": ("lsqr",),
            "rule": ("Ledoit-Wolf", "fixed"),
            "shrinkage": Range(0.0, 1.0, when=("rule", "fixed")),
        },
        prepare=_prepare("_linear", "LinearWorkspace"),
        rebuild=_rebuild("_linear", "LinearPredictor"),
        reference=_lda,
        uses_seed=False,
        order=1,
        libraries=("scikit-learn",),
    )
    yield ClassifierSpec(
        name="qda",
        title="QDA",
        summary="quadratic discriminant analysis, as scikit-learn 0.24 computed it",
        search_space={"reg_param": (0.0, 0.1, 0.25)},
        wide_space={"reg_param": Range(0.0, 1.0)},
        prepare=_prepare("_quadratic", "QuadraticWorkspace"),
        rebuild=_rebuild("_quadratic", "QuadraticPredictor"),
        reference=_qda,
        uses_seed=False,
        order=3,
        libraries=("numpy", "scipy"),
        expected_failures={
            "classifier-learns-wide": "by definition, a class ignores directions outside the span of its examples"
        },
    )


def _logistic() -> Iterator[ClassifierSpec]:
    """Yield `lr`, scikit-learn's `lbfgs` at its default tolerance, and `lr/converged`."""
    wide: dict[str, Range | Sequence[GridValue]] = {"C": C_RANGE, "class_weight": CLASS_WEIGHTS}
    lr = ClassifierSpec(
        name="lr",
        title="LR",
        summary="logistic regression, L2, lbfgs at its default tolerance",
        search_space={"C": C_VALUES, "class_weight": CLASS_WEIGHTS},
        wide_space=wide,
        prepare=_prepare("_logistic", "LogisticWorkspace"),
        rebuild=_rebuild("_linear", "LinearPredictor"),
        reference=_lr,
        uses_seed=False,
        order=2,
        libraries=("numpy", "scipy"),
    )
    yield lr
    yield replace(
        lr,
        name="lr/converged",
        title="LR, converged",
        summary="logistic regression, L2, at its optimum; no protocol uses it",
        prepare=_prepare("_logistic", "ConvergedWorkspace"),
        order=12,
    )


def _others() -> Iterator[ClassifierSpec]:
    """Yield `rf` and `svc`."""
    yield ClassifierSpec(
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
        prepare=_prepare("_forest", "ForestWorkspace", seeded=True),
        rebuild=_rebuild("_forest", "ForestPredictor"),
        reference=_rf,
        order=4,
    )
    yield ClassifierSpec(
        name="svc",
        title="SVC",
        summary="support vector machine, linear or radial kernel",
        search_space={"kernel": KERNELS, "C": C_VALUES, "class_weight": CLASS_WEIGHTS},
        wide_space={
            "kernel": KERNELS,
            "C": C_RANGE,
            "class_weight": CLASS_WEIGHTS,
            "gamma_by_scale": GAMMA_RANGE,
        },
        prepare=_prepare("_kernels", "KernelWorkspace", seeded=True),
        rebuild=_rebuild("_kernels", "VotingPredictor"),
        reference=_svc,
        uses_seed=False,
        order=5,
        libraries=("scikit-learn",),
    )


def _regressors() -> Iterator[ClassifierSpec]:
    """Yield `ridge` and `svr`, for continuous targets such as valence."""
    yield ClassifierSpec(
        name="ridge",
        title="Ridge",
        summary="ridge regression, for continuous targets",
        search_space={"alpha": C_VALUES[::-1]},
        wide_space={"alpha": Range(1e-6, 1e6, log=True)},
        prepare=_prepare("_regression", "RidgeWorkspace"),
        rebuild=_rebuild("_regression", "KernelRegressor"),
        reference=_ridge,
        kind="continuous",
        uses_seed=False,
        order=21,
        libraries=("numpy",),
    )
    yield ClassifierSpec(
        name="svr",
        title="SVR",
        summary="support vector regression, for continuous targets",
        search_space={"kernel": KERNELS, "C": C_VALUES},
        wide_space={"kernel": KERNELS, "C": C_RANGE, "gamma_by_scale": GAMMA_RANGE},
        prepare=_prepare("_regression", "SvrWorkspace"),
        rebuild=_rebuild("_regression", "KernelRegressor"),
        reference=_svr,
        kind="continuous",
        uses_seed=False,
        order=22,
        libraries=("scikit-learn",),
    )
