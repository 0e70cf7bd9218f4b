"""The record of an isolated environment."""

from __future__ import annotations

from typing import Literal

import msgspec


class EnvironmentDocument(msgspec.Struct, frozen=True):
    """The record of an isolated environment.

    Attributes:
        python: the path of the interpreter, absolute or relative to the environment's folder.
    """

    schema: Literal["serab.isolated/1"]
    python: str
    distribution: str
    version: str
    extractors: tuple[str, ...]
