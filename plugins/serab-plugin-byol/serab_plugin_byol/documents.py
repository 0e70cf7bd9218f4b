"""The types of the documents that `serab pretrain` stores and prints. `docs/schemas` has their JSON Schemas."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0)]


class TrainingData(msgspec.Struct, frozen=True, kw_only=True):
    """The training data of a run, in its file `data.json`.

    Attributes:
        clips: number of clips.
        seconds: length of the audio.
        digest: sha256 of the lengths of all clips and of some samples of each; see `Segments.digest`.
    """

    schema: Literal["serab.pretrain-data/1"]
    clips: Count
    seconds: Seconds
    digest: str


class TrainingSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What `serab pretrain byol-s` prints.

    Attributes:
        folder: folder of the run.
        steps: steps of the optimiser that are completed.
        loss: loss of the last step; null if the run was complete before, or if the loss is not finite.
    """

    schema: Literal["serab.pretrain/1"]
    folder: str
    steps: Count
    loss: float | None


class PackSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What `serab pretrain pack` prints.

    Attributes:
        shards: paths of the shards.
        clips: number of clips.
        seconds: length of the audio.
        skipped: path and reason of each file that was left out.
    """

    schema: Literal["serab.pack-summary/1"]
    shards: tuple[str, ...]
    clips: Count
    seconds: Seconds
    skipped: tuple[tuple[str, str], ...]
