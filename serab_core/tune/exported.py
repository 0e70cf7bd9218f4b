"""Exported classifiers: arrays in safetensors, metadata in JSON, and prediction from these files."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from serab_core import plugins
from serab_core.data.integrity import MAX_NAMES, MIN_UTTERANCES
from serab_core.errors import StoreError, UsageError
from serab_core.store import codec
from serab_core.store.atomic import replacing_folder
from serab_core.store.jsonio import write_json
from serab_core.system.text import list_names
from serab_core.tune.normalise import standardise, statistics
from serab_core.types import Exported, GridValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import Embeddings, Features, Predictor

DESCRIPTION, ARRAYS = "classifier.json", "classifier.safetensors"
PER_SPEAKER_NOTICE = (
    "the classifier normalises the features of each speaker by all utterances of this speaker in the same call of "
    "predict: give about 20 utterances of each speaker, of all classes; for single utterances, use a classifier of the "
    "protocol strict"
)
_MEAN, _DEVIATION = "normalisation.mean", "normalisation.deviation"


@dataclass(frozen=True, slots=True)
class ClassifierMetadata:
    """The metadata of an exported classifier.

    Attributes:
        labels: the label of each class index; empty for a continuous target.
        dim: dimension of the embeddings.
        normalisation: `speaker`, with the statistics of each speaker's utterances; or `train`, with stored statistics.
        fingerprint: of the extractor; the classifier is valid only for embeddings with this fingerprint.
        columns: the first column and the one behind the last that the classifier uses, if it was tuned on one layer.
    """

    extractor: str
    fingerprint: str
    task: str
    protocol: str
    classifier: str
    version: str
    params: dict[str, GridValue]
    labels: tuple[str, ...]
    dim: int
    normalisation: Literal["speaker", "train"]
    columns: tuple[int, int] | None = None


class ClassifierDocument(msgspec.Struct, frozen=True):
    """The description of an exported classifier; its arrays are in a safetensors file beside it."""

    schema: Literal["serab.classifier/1"]
    about: ClassifierMetadata
    settings: dict[str, Any]
    provenance: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class ExportedClassifier:
    """A classifier that was loaded from files."""

    metadata: ClassifierMetadata
    predictor: Predictor
    mean: Features | None = None
    deviation: Features | None = None

    def predict(self, embeddings: Embeddings, speakers: Sequence[str] | None = None) -> list[Any]:
        """Return the predicted label of each embedding; its value for a continuous target.

        Args:
            embeddings: float32, shape (n, dim), from the extractor that the classifier was tuned for.
            speakers: the speaker of each row, for a classifier that normalises by speaker; by default all rows belong
                to the same speaker.

        A classifier that normalises by speaker warns (`UserWarning`) about speakers with fewer than ten rows.

        Raises:
            UsageError: the shape is wrong, or the number of speakers differs from the number of rows.
        """
        features = np.asarray(embeddings, np.float64)
        if features.ndim != 2 or features.shape[1] != self.metadata.dim:
            raise UsageError(f"embeddings have shape {features.shape}, not (n, {self.metadata.dim})")
        if self.metadata.columns is not None:
            features = features[:, slice(*self.metadata.columns)]
        if self.mean is not None and self.deviation is not None:
            features = (features - self.mean) / self.deviation
        else:
            who = np.asarray(["one"] * len(features) if speakers is None else list(speakers))
            if len(who) != len(features):
                raise UsageError(f"{len(who)} speakers are given for {len(features)} embeddings")
            features = features.copy()
            few = []
            for speaker, count in zip(*np.unique(who, return_counts=True), strict=True):
                features[who == speaker] = standardise(features[who == speaker])
                few += [f"{speaker}: {count}"] if count < MIN_UTTERANCES else []
            if few:
                count = f"{len(few)} of {len(np.unique(who))} speakers have fewer than {MIN_UTTERANCES} utterances"
                warnings.warn(f"{count} ({list_names(few, MAX_NAMES)}); {PER_SPEAKER_NOTICE}", stacklevel=2)
        predicted = self.predictor.predict(features)
        return [self.metadata.labels[index] for index in predicted] if self.metadata.labels else predicted.tolist()


def write_export(
    folder: Path,
    metadata: ClassifierMetadata,
    exported: Exported,
    provenance: dict[str, Any],
    training: Embeddings | None,
) -> None:
    """Write a classifier into a new folder, or replace the folder.

    Args:
        training: embeddings of the training split, for the stored statistics; None to normalise by speaker.

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
        description = {"about": asdict(metadata), "settings": dict(exported.settings), "provenance": provenance}
        write_json(temporary / DESCRIPTION, {"schema": "serab.classifier/1", **description})


def load_export(folder: Path) -> ExportedClassifier:
    """Load an exported classifier.

    Raises:
        StoreError: the folder has no classifier, or a damaged one.
        UnknownNameError, PluginError: the classifier's plugin is not installed or fails.
        UsageError: the plugin cannot rebuild the classifier.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    description = codec.read(folder / DESCRIPTION, ClassifierDocument)
    metadata = description.about
    try:
        arrays = load_file(folder / ARRAYS)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"cannot be read ({error})", where=folder / ARRAYS, next_step="export it again") from error
    mean, deviation = arrays.pop(_MEAN, None), arrays.pop(_DEVIATION, None)
    spec = plugins.classifier(metadata.classifier)
    if spec.rebuild is None:
        raise UsageError(f"{metadata.classifier} cannot be rebuilt from files", where=str(folder))
    return ExportedClassifier(metadata, spec.rebuild(Exported(arrays, description.settings)), mean, deviation)
