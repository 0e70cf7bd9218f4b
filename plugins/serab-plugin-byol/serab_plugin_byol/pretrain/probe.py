"""A linear probe: the validation accuracy of LDA on the encoder's embeddings of a prepared task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from serab_core.plugin import (
    Examples,
    decode,
    find_home,
    find_protocol,
    get_classifier,
    load_corpus,
    log_mels,
    normalised,
    resample,
)
from serab_plugin_byol.front_end import buckets, lengthened, log_mel_spec, statistics
from serab_plugin_byol.pretrain.config import RATE

_FRAMES = 4_096  # maximum frames of a batch


class Probe:
    """A probe on a task, with the log-mels of the task in memory. The test split is never used.

    Args:
        task: name of a prepared task.
        window: window of the log-mel, in samples.

    Raises:
        NotPreparedError: the task is not prepared.
    """

    def __init__(self, task: str, window: int) -> None:
        self.task = task
        self._protocol = find_protocol("serab")
        spec = log_mel_spec(window)
        loaded = load_corpus(find_home(), task).task(self._protocol)
        self._task = loaded
        waves = []
        for utterance in loaded.utterances:
            decoded = decode(Path(utterance.path), utterance.path)
            waves.append(lengthened(resample(decoded.samples, decoded.rate, RATE), spec))
        splits = np.array([utterance.split for utterance in loaded.utterances])
        mean, spread = statistics((w for w, split in zip(waves, splits, strict=True) if split == "train"), spec)
        self._mels = [((mels - mean) / spread).astype(np.float32) for mels in log_mels(waves, spec, threads=None)]
        self._splits = splits
        self._y = np.array([loaded.labels.index(utterance.label) for utterance in loaded.utterances])
        self._classes = len(loaded.labels)

    def accuracy(self, encoder: Any) -> float:
        """Return the validation accuracy of LDA, fitted on the training split, with features normalised by speaker."""
        X = normalised(self._task, self._embedded(encoder), self._protocol)
        train, validation = (
            Examples(X[self._splits == split], self._y[self._splits == split], self._classes)
            for split in ("train", "validation")
        )
        predictor = get_classifier("lda").prepare(train, validation, seed=0).fit({"solver": "lsqr"})
        return float(np.mean(predictor.predict(validation.X) == validation.y))

    @torch.inference_mode()
    def _embedded(self, encoder: Any) -> Any:
        was_training = encoder.training
        encoder.eval()
        device = next(encoder.parameters()).device
        rows = np.empty((len(self._mels), encoder.dim), np.float32)
        frames = [mels.shape[1] for mels in self._mels]
        for places in buckets(frames, _FRAMES):
            batch = np.zeros((len(places), 1, self._mels[0].shape[0], frames[places[0]]), np.float32)
            for row, place in enumerate(places):
                batch[row, 0, :, : frames[place]] = self._mels[place]
            lengths = torch.tensor([frames[place] for place in places], device=device)
            rows[places] = encoder(torch.from_numpy(batch).to(device), lengths).float().cpu().numpy()
        encoder.train(was_training)
        return rows
