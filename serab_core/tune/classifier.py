"""One classifier on one task: search on validation, refit on train and validation, predict the test split once."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from serab_core.errors import TuningError
from serab_core.store.jsonio import digest
from serab_core.system.hints import option
from serab_core.system.timing import timed
from serab_core.tune.normalise import by_training_split, per_speaker
from serab_core.tune.points import best_point, fit_and_test
from serab_core.types import Examples, Point, PointError, Predictions, Range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from serab_core.types import (
        ClassifierSpec,
        Embeddings,
        Features,
        ProtocolSpec,
        Split,
        Task,
    )


TUNING_VERSION = 1
"""Version of the tuning code, part of each study's identity; increase it when a change gives other scores."""


@dataclass(frozen=True, slots=True)
class StudyIdentity:
    """Everything that the outcome of a study depends on.

    Attributes:
        fields: all dependencies, as plain values.
        study: digest of the fields; the name of the outcome.
    """

    fields: Mapping[str, Any]
    study: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> StudyIdentity:
        """Return the identity of these fields, with its digest."""
        return cls(fields, digest(fields)[:32])

    def journal(self, layer: str = "") -> str:
        """Return the name of the journal; a study with more trials continues the same journal.

        Args:
            layer: the layer that is searched, if each layer has its own journal.
        """
        fields = {name: value for name, value in self.fields.items() if name != "trials"}
        return digest(fields | ({"layer": layer} if layer else {}))[:32]


def study_fields(
    spec: ClassifierSpec, protocol: ProtocolSpec, task: Task, embeddings_id: str, libraries: dict[str, str]
) -> dict[str, Any]:
    """Return everything that a study's outcome depends on; its digest names the study.

    Args:
        embeddings_id: digest of the extractor's fingerprint and corpus statistics.
        libraries: installed versions of the distributions that the classifier declares.
    """
    return {
        "classifier": spec.name,
        "version": spec.version,
        "code": dict(spec.code),
        "tuning": TUNING_VERSION,
        "search_space": _space(spec, protocol),
        "sampler": protocol.tuner,
        "seed": protocol.seed,
        "objective": protocol.objective,
        "normalisation": protocol.normalisation,
        "task": task.digest,
        "audio": task.audio_digest,
        "embeddings": embeddings_id,
        "libraries": libraries,
        **({"trials": protocol.trials} if protocol.tuner == "tpe" else {}),
    }


def _space(spec: ClassifierSpec, protocol: ProtocolSpec) -> dict[str, Any]:
    space = spec.search_space if protocol.tuner == "grid" else spec.wide_space or spec.search_space
    return {name: asdict(values) if isinstance(values, Range) else list(values) for name, values in space.items()}


def normalised(task: Task, embeddings: Embeddings, protocol: ProtocolSpec) -> Features:
    """Return the task's features, normalised by the protocol: float64, shape (n, dim)."""
    splits = [u.split for u in task.utterances]
    if protocol.normalisation == "speaker":
        return per_speaker(embeddings, [u.group for u in task.utterances], splits)
    return by_training_split(embeddings, splits)


def examples_of(task: Task, features: Features, split: Split) -> Examples:
    """Return the labelled features of one split, in order of utterance id."""
    rows = [position for position, u in enumerate(task.utterances) if u.split == split]
    if task.target:
        values = np.array([task.utterances[row].targets[task.target] for row in rows], dtype=np.float64)
        return Examples(features[rows], values, 0)
    index = {label: position for position, label in enumerate(task.labels)}
    labels = np.array([index[task.utterances[row].label] for row in rows], dtype=np.int64)
    return Examples(features[rows], labels, len(task.labels))


def tune_classifier(
    spec: ClassifierSpec,
    protocol: ProtocolSpec,
    task: Task,
    features: Features,
    objective: Callable[[Any, Any], float],
    *,
    journal: Path,
    advance: Callable[[int], None],
) -> tuple[tuple[Point, ...], Point | None, Predictions | None]:
    """Search, refit and test one classifier, on one BLAS thread so that the result has the same bits on any machine.

    Returns:
        every point, the chosen one, and the test predictions after the refit; the last two are None if no point
        could be fitted.

    Raises:
        TuningError: the classifier raised an error other than `PointError`.
        StoreError: the journal cannot be written.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # from tqdm, in notebooks; serab does not use its bars
        from serab_core.tune.study import search  # imported here, because a run without searches does not need Optuna

    train = examples_of(task, features, "train")
    validation = examples_of(task, features, "validation")
    test = examples_of(task, features, "test")
    with threadpool_limits(1):
        try:
            workspace = spec.prepare(train, validation, seed=protocol.seed)
            points = search(
                spec,
                workspace,
                validation,
                objective,
                journal=journal,
                seed=protocol.seed,
                advance=advance,
                trials=protocol.trials if protocol.tuner == "tpe" else None,
            )
            best = best_point(points)
            if best is None:
                return points, None, None
            with timed("score"):
                predicted, probabilities = fit_and_test(workspace.refit, best.params, test)
        except PointError as error:
            raise TuningError(
                f"{spec.name} could not be refitted at its best point ({error})", where=task.name
            ) from error
        except (ArithmeticError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise TuningError(
                f"classifier {spec.name} raised {type(error).__name__}: {reason}",
                where=task.name,
                next_step=f"report it to the plugin's author, or name others with {option('classifiers')}",
            ) from error
    utterances = [u for u in task.utterances if u.split == "test"]
    ids = tuple(u.id for u in utterances)
    if task.target:
        truth = tuple(float(u.targets[task.target]) for u in utterances)
        return points, best, Predictions(ids, truth, tuple(float(value) for value in predicted))
    labels = tuple(task.labels[int(label)] for label in predicted)
    truth_labels = tuple(u.label for u in utterances)
    if probabilities is None:
        return points, best, Predictions(ids, truth_labels, labels)
    table = np.ascontiguousarray(probabilities, "<f4").tobytes()
    return points, best, Predictions(ids, truth_labels, labels, task.labels, table)
