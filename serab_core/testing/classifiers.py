"""Checks of a classifier, on small data sets."""

from __future__ import annotations

import json
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core import plugins
from serab_core.score.metrics import ccc
from serab_core.testing.checks import NOT_APPLICABLE, Check, CheckSuite, ConformanceError, check
from serab_core.testing.examples import blobs, slopes
from serab_core.testing.surroundings import check_settings
from serab_core.tune.points import fit_and_predict, fit_and_test, grid_points
from serab_core.types import Examples, Exported, PointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serab_core.types import ClassifierSpec, Labels, Params, Predictor

_SEED = 42
_AGREE = 0.98  # fraction of equal predictions; rounding may change the class of examples at a decision boundary


class ClassifierChecks(CheckSuite):
    """The checks of a classifier or regressor.

    Args:
        spec: the classifier.
        subject: its name; that of the spec by default.
    """

    kind = "classifier"

    def __init__(self, spec: ClassifierSpec, subject: str = "") -> None:
        super().__init__(subject or spec.name, spec.expected_failures)
        self._spec, self._continuous = spec, spec.kind == "continuous"

    def _data(self, seed: int, dims: int) -> Examples:
        return slopes(seed, dims) if self._continuous else blobs(seed, dims)

    @check(
        "grid",
        protects="a search must cover the whole grid of the protocol, without duplicates",
        fix="declare every value once",
    )
    def grid(self) -> None:
        """Count the points of the grid."""
        points = grid_points(self._spec)
        if not points:
            raise ConformanceError("the search space is empty")
        if len({tuple(sorted(point.items(), key=str)) for point in points}) != len(points):
            raise ConformanceError("a point occurs twice")

    @check(
        "points",
        protects="a point that cannot be fitted must raise PointError, so that the search continues",
        fix="raise PointError, with the reason, if a point cannot be fitted",
    )
    def points(self) -> str:
        """Fit every point."""
        spec, fitted = self._spec, 0
        grid = grid_points(spec)
        for dims in (6, 200):
            workspace = spec.prepare(self._data(0, dims), self._data(1, dims), seed=_SEED)
            for point in grid:
                try:
                    fit_and_predict(workspace.fit, point, self._data(1, dims))
                    fitted += 1
                except PointError as error:
                    if not str(error).strip():
                        raise ConformanceError(f"{dict(point)} raises a PointError without a reason") from error
                except Exception as error:  # third-party code
                    raise ConformanceError(f"{dict(point)} raises {type(error).__name__}: {error}") from error
        return f"{fitted} of {2 * len(grid)} points could be fitted"

    def _learns(self, dims: int) -> None:
        spec = self._spec
        train, validation = self._data(0, dims), self._data(1, dims)
        predictions = [predicted for _, predicted in _predictions(spec, train, validation)]
        if not predictions:
            raise ConformanceError("no point of the grid could be fitted")
        if self._continuous:
            best = max(ccc(validation.y, predicted) for predicted in predictions)
            if not best >= 0.8:
                raise ConformanceError(
                    f"the best point has a concordance of {best:.2f} on a linear target in {dims} dimensions"
                )
            return
        scores = [np.mean(predicted == validation.y) for predicted in predictions]
        if not max(scores) >= 0.9:
            raise ConformanceError(
                f"the best point has an accuracy of {100 * max(scores):.0f} % on three separate clusters in {dims} "
                "dimensions"
            )

    @check(
        "learns",
        protects="the score of a classifier that cannot learn a simple pattern says nothing about an extractor",
        fix="look for a swapped sign, label or axis",
    )
    def learns(self) -> None:
        """Fit clusters, or a line, in 6 dimensions."""
        self._learns(6)

    @check(
        "learns-wide",
        protects="most tasks have fewer utterances than an embedding has dimensions",
        fix="regularise if there are fewer examples than dimensions",
    )
    def learns_wide(self) -> None:
        """Fit clusters, or a line, in 200 dimensions."""
        self._learns(200)

    @check(
        "reference",
        protects="a classifier must implement the method that its name states",
        fix="find the first point that differs, and declare the intended estimator as the reference",
    )
    def reference(self) -> str:
        """Compare predictions with those of the reference."""
        spec = self._spec
        if spec.reference is None:
            return f"{NOT_APPLICABLE}no reference is declared"
        agreed: list[bool] = []
        for dims, spread in ((6, 1.0), (6, 0.3), (200, 1.0)):
            sets = [slopes(n, dims, spread) if self._continuous else blobs(n, dims, spread) for n in (0, 1)]
            for point, predicted in _predictions(spec, *sets):
                expected = _referred(spec.reference(point, _SEED), *sets)
                same = np.equal if not self._continuous else partial(np.isclose, rtol=1e-3, atol=1e-3)
                agreed.extend([] if expected is None else np.asarray(same(predicted, expected)).tolist())
        if not agreed:
            raise ConformanceError("the reference cannot be fitted at any point")
        agreement = float(np.mean(agreed))
        if not agreement >= _AGREE:
            raise ConformanceError(f"{100 * agreement:.1f} % of its predictions equal those of the reference")
        return f"{100 * agreement:.1f} % of {len(agreed)} predictions equal those of the reference"

    @check(
        "repeatable",
        protects="a score must be reproducible",
        fix="pass the seed to everything that is random",
    )
    def repeatable(self) -> None:
        """Fit twice."""
        train, validation = self._data(0, 20), self._data(1, 20)
        (_, first), (_, second) = (_first(self._spec, train, validation) for _ in range(2))
        if not np.array_equal(first, second):
            raise ConformanceError("two fits with the same data and seed gave different predictions")

    @check(
        "seed",
        protects="an evaluation under another seed reuses the studies of a classifier that does not use the seed",
        fix="declare uses_seed=True",
    )
    def seed(self) -> str:
        """Compare predictions under two seeds, of a classifier that declares that it does not use the seed."""
        if self._spec.uses_seed:
            return f"{NOT_APPLICABLE}its spec declares that it uses the seed"
        train, validation = self._data(0, 20), self._data(1, 20)
        for point in grid_points(self._spec):
            predictions: list[Labels] = []
            for seed in (_SEED, _SEED + 1):
                workspace = self._spec.prepare(train, validation, seed=seed)
                try:
                    predictions.append(fit_and_predict(workspace.refit, point, validation))
                except PointError:
                    continue
            if len(predictions) == 2 and not np.array_equal(predictions[0], predictions[1]):
                raise ConformanceError(f"two seeds gave different predictions at {dict(point)}")
        return ""

    @check(
        "known-classes",
        protects="a prediction outside the task's classes cannot be scored",
        fix="return class indices, int64, one for each row",
    )
    def known_classes(self) -> None:
        """Check dtype and range of the predictions."""
        validation = blobs(1, 6)
        _, predicted = _first(self._spec, blobs(0, 6), validation)
        if predicted.shape != validation.y.shape:
            raise ConformanceError(f"predict returned shape {predicted.shape}")
        if not set(predicted.tolist()) <= {0, 1, 2}:
            raise ConformanceError(f"predict returned {sorted(set(predicted.tolist()))}")

    @check(
        "probabilities",
        protects="calibration error and log loss are computed from the probabilities of the test split",
        fix="return a column for each class index, in [0, 1], with a sum of 1 in each row",
    )
    def probabilities(self) -> str:
        """Check the probabilities of classes, and compare the most probable class with the prediction."""
        validation = self._data(1, 6)
        workspace = self._spec.prepare(self._data(0, 6), validation, seed=_SEED)
        point, _ = _first(self._spec, self._data(0, 6), validation)
        try:
            predicted, table = fit_and_test(workspace.refit, point, validation)
        except ValueError as error:
            raise ConformanceError(str(error)) from error
        if table is None:
            return f"{NOT_APPLICABLE}its predictors have no predict_proba"
        agreement = float(np.mean(table.argmax(axis=1) == predicted))
        if agreement < _AGREE:
            raise ConformanceError(
                f"the most probable class is the predicted one for {100 * agreement:.0f} % of the utterances"
            )
        return f"the most probable class is the predicted one for {100 * agreement:.0f} % of the utterances"

    @check(
        "missing-class",
        protects="in small corpora the validation split may lack a class",
        fix="take the number of classes from n_classes, not from the labels of the validation split",
    )
    def missing_class(self) -> None:
        """Fit with a validation split that lacks a class."""
        whole = blobs(1, 20)
        present = whole.y != 1
        spec, validation = self._spec, Examples(whole.X[present], whole.y[present], 3)
        try:
            fitted, _ = _first(spec, blobs(0, 20), validation)
            workspace = spec.prepare(blobs(0, 20), validation, seed=_SEED)
            fit_and_predict(workspace.refit, fitted, whole)
        except (PointError, AssertionError):
            raise
        except Exception as error:  # third-party code
            raise ConformanceError(
                f"a validation split without a class raises {type(error).__name__}: {error}"
            ) from error

    @check(
        "input-kept",
        protects="all points of a search get the same arrays",
        fix="work on a copy",
    )
    def input_unchanged(self) -> None:
        """Fit on arrays that are read-only."""
        train, validation = self._data(0, 20), self._data(1, 20)
        for array in (train.X, train.y, validation.X, validation.y):
            array.flags.writeable = False
        try:
            _first(self._spec, train, validation)
        except ValueError as error:
            for array in (train.X, train.y, validation.X, validation.y):
                array.flags.writeable = True
            _first(self._spec, train, validation)  # an error that has another cause is raised again
            raise ConformanceError("it writes to the examples") from error

    def _fit_first_point(self) -> None:
        _first(self._spec, self._data(0, 20), self._data(1, 20))

    @check(
        "settings-kept",
        protects="other classifiers and extractors share the process",
        fix="use your own random generator, built from the seed",
    )
    def settings_unchanged(self) -> None:
        """Compare global settings before and after."""
        check_settings(self._fit_first_point)

    @check(
        "export",
        protects="an exported classifier must give the predictions of the scored classifier",
        fix="let export() return everything that predict needs",
    )
    def export(self) -> str:
        """Rebuild the classifier from its export, and compare predictions."""
        spec = self._spec
        if spec.rebuild is None:
            return f"{NOT_APPLICABLE}its spec declares no rebuild, so it cannot be exported"
        for dims in (6, 200):
            train, fresh = self._data(0, dims), self._data(2, dims)
            point, _ = _first(spec, train, self._data(1, dims))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = spec.prepare(train, self._data(1, dims), seed=_SEED).refit(point)
            again = spec.rebuild(_stored(_exported(fitted)))
            same = np.array_equal if not self._continuous else partial(np.allclose, rtol=1e-9, atol=1e-9)
            if not same(again.predict(fresh.X), fitted.predict(fresh.X)):
                raise ConformanceError(f"rebuilt from its export, it gives other predictions in {dims} dimensions")
        return ""


def classifier_checks(classifier: str | ClassifierSpec) -> list[Check]:
    """Return the checks of a classifier or regressor.

    Args:
        classifier: its name, or a spec.

    Raises:
        UnknownNameError, PluginError: the name belongs to no working classifier.

    Example:
        >>> from serab_core.testing import classifier_checks
        >>> [check() for check in classifier_checks("lda")][0]
        ''
    """
    if isinstance(classifier, str):
        spec, subject = plugins.classifier(classifier), classifier
    else:
        spec, subject = classifier, classifier.name
    checks = ClassifierChecks(spec, subject).checks()
    if spec.kind == "continuous":  # a continuous target has no classes
        return [check for check in checks if check.id not in ("classifier-known-classes", "classifier-missing-class")]
    return checks


def _predictions(spec: ClassifierSpec, train: Examples, validation: Examples) -> Iterator[tuple[Params, Labels]]:
    """Yield each point that can be fitted, with its predictions for the validation examples."""
    workspace = spec.prepare(train, validation, seed=_SEED)
    for point in grid_points(spec):
        try:
            yield point, fit_and_predict(workspace.fit, point, validation)
        except PointError:
            continue


def _first(spec: ClassifierSpec, train: Examples, validation: Examples) -> tuple[Params, Labels]:
    """Return the first point that can be refitted on both splits, and its predictions for the validation examples."""
    workspace = spec.prepare(train, validation, seed=_SEED)
    for point in grid_points(spec):
        try:
            return point, fit_and_predict(workspace.refit, point, validation)
        except PointError:
            continue
    raise ConformanceError("no point of the grid could be fitted")


def _referred(estimator: Any, train: Examples, validation: Examples) -> Labels | None:
    """Return the predictions of the reference; None if it cannot be fitted at the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            predicted: Labels = estimator.fit(train.X, train.y).predict(validation.X)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    return predicted


def _exported(fitted: Predictor) -> Exported:
    export = getattr(fitted, "export", None)
    if not callable(export):
        raise ConformanceError("rebuild is declared, but predictors have no export()")
    exported = export()
    if not isinstance(exported, Exported):
        raise ConformanceError(f"export() returned {type(exported).__name__}")
    return exported


def _stored(exported: Exported) -> Exported:
    """Return an export after storing and loading it: arrays as safetensors, settings as JSON."""
    from safetensors.numpy import load, save

    try:
        arrays = load(save({key: np.ascontiguousarray(array) for key, array in exported.arrays.items()}))
        settings = json.loads(json.dumps(dict(exported.settings), allow_nan=False))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise ConformanceError(f"its export is not plain data ({error})") from error
    return Exported(arrays, settings)
