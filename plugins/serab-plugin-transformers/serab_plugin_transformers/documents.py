"""The type of the document that this plugin stores. `docs/schemas` has its JSON Schema."""

from __future__ import annotations

from typing import Literal

import msgspec


class CheckedModel(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a model that could be loaded.

    Attributes:
        model: the argument of `hf:`.
        revision: the commit, or the sha256 of a folder's weights and JSON files.
        libraries: versions of torch and transformers.
        checks: version of the checks of `loading.load`.
    """

    schema: Literal["serab.hf-model/1"]
    model: str
    revision: str
    libraries: dict[str, str]
    checks: int
