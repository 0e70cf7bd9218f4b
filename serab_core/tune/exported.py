"""A tuned classifier in files: arrays in safetensors, the rest in JSON, and what predicts from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from serab_core import plugins
from serab_core.errors import StoreError, UsageError
from serab_core.store.atomic import replacing_folder
from serab_core.store.jsonio import read_json, write_json
from serab_core.tune.normalise import standardise, statistics
from serab_core.types import Exported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import Embeddings, Features, Params, Predictor

SCHEMA = "serab.classifier/1"
DESCRIPTION, ARRAYS = "classifier.json", "classifier.safetensors"
_MEAN, _DEVIATION = "normalisation.mean", "normalisation.deviation"


@dataclass(frozen=True, slots=True)
class ClassifierMetadata:
    """What an exported classifier is for.

    Attributes:
        labels: by class index; none for a continuous target.
        dim: of the embeddings.
        normalisation: `speaker`, each speaker's utterances by their own statistics; or `train`, by stored ones.
        fingerprint: of the extractor; embeddings of another one mean nothing to it.
        columns: the first and the one behind the last that it looks at, where it was tuned on one of several layers.
    """

    extractor: str
    fingerprint: str
    task: str
    protocol: str
    classifier: str
    version: str
    params: Params
    labels: tuple[str, ...]
    dim: int
    normalisation: Literal["speaker", "train"]
    columns: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ExportedClassifier:
    """A classifier that was read back."""

    metadata: ClassifierMetadata
    predictor: Predictor
    mean: Features | None = None
    deviation: Features | None = None

    def predict(self, embeddings: Embeddings, speakers: Sequence[str] | None = None) -> list[Any]:
        """Labels for embeddings; values, where it was made for a continuous target.

        Args:
            embeddings: float32, shape (n, dim), of the extractor that it was made for.
            speakers: who speaks in each row, for a classifier that normalises by speaker; without it all rows count
                as one speaker's.

        Raises:
            UsageError: the shape does not fit, or there are not as many speakers as rows.
        """
        features = np.asarray(embeddings, np.float64)
        if features.ndim != 2 or features.shape[1] != self.metadata.dim:
            raise UsageError(f"embeddings of shape {features.shape} are not (n, {self.metadata.dim})")
        if self.metadata.columns is not None:
            features = features[:, slice(*self.metadata.columns)]
        if self.mean is not None and self.deviation is not None:
            features = (features - self.mean) / self.deviation
        else:
            who = np.asarray(["one"] * len(features) if speakers is None else list(speakers))
            if len(who) != len(features):
                raise UsageError(f"{len(who)} speakers are given for {len(features)} embeddings")
            features = features.copy()
            for speaker in np.unique(who):
                features[who == speaker] = standardise(features[who == speaker])
        predicted = self.predictor.predict(features)
        return [self.metadata.labels[index] for index in predicted] if self.metadata.labels else predicted.tolist()


def write_export(
    folder: Path,
    metadata: ClassifierMetadata,
    exported: Exported,
    provenance: dict[str, Any],
    training: Embeddings | None,
) -> None:
    """Writes a classifier into a folder of its own; one that is there is replaced.

    Args:
        training: embeddings of the training split, whose statistics normalise; None to normalise by speaker.

    Raises:
        StoreError: the folder cannot be written.
    """
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(array) for name, array in exported.arrays.items()}
    if training is not None:
        mean, deviation = statistics(training.astype(np.float64))
        arrays |= {_MEAN: mean, _DEVIATION: deviation}
    with replacing_folder(folder) as temporary:
        save_file(arrays, temporary / ARRAYS)
        description = {
            "schema": SCHEMA,
            "about": asdict(metadata),
            "settings": dict(exported.settings),
            "provenance": provenance,
        }
        write_json(temporary / DESCRIPTION, description)


def load_export(folder: Path) -> ExportedClassifier:
    """Reads a classifier back.

    Raises:
        StoreError: the folder holds none, or a damaged one.
        UnknownNameError, PluginError: the classifier's plugin is not there or fails.
        UsageError: the plugin cannot rebuild it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    value = read_json(folder / DESCRIPTION, SCHEMA)
    try:
        metadata = ClassifierMetadata(**{**value["about"], "labels": tuple(value["about"]["labels"])})
        settings = value["settings"]
    except (KeyError, TypeError) as error:
        raise StoreError(f"lacks a part ({error})", where=folder / DESCRIPTION, next_step="export it again") from error
    try:
        arrays = load_file(folder / ARRAYS)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"cannot be read ({error})", where=folder / ARRAYS, next_step="export it again") from error
    mean, deviation = arrays.pop(_MEAN, None), arrays.pop(_DEVIATION, None)
    spec = plugins.classifier(metadata.classifier)
    if spec.rebuild is None:
        raise UsageError(f"{metadata.classifier} cannot be rebuilt from files", where=str(folder))
    return ExportedClassifier(metadata, spec.rebuild(Exported(arrays, settings)), mean, deviation)
