"""The type of the document that this plugin stores. `docs/schemas` has its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Properties of a module and its model, as they are cached in the home.

    Attributes:
        module: name of the module, or path of its file.
        weights: path of the weights, or "".
        rate: sample rate in Hz.
        dim: length of an embedding.
        framework: `numpy`, `torch` or `tensorflow`.
        scenes: whether the module has `get_scene_embeddings`; otherwise time-stamp embeddings are averaged.
        together: whether several clips may be embedded in one batch.
        identity: sha256 and versions of code and weights.
        files: sha256 by path, of the module and of the files that it imports or reads.
    """

    schema: Literal["serab.hear-module/2"]
    module: str
    weights: str
    rate: Positive
    dim: Positive
    framework: Literal["numpy", "torch", "tensorflow"]
    scenes: bool
    together: bool
    identity: dict[str, str]
    files: dict[str, str]
