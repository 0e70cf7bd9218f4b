"""Registers every corpus of this distribution. All of its entry points name this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_datasets import (
    aesdd,
    cafe,
    crema_d,
    demo,
    emodb,
    emovo,
    iem4,
    ravdess,
    savee,
    shemo,
    subesco,
)

if TYPE_CHECKING:
    from serab_core.plugin import DatasetSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Register the nine corpora of SERAB, SUBESCO, the ShEMO release of 2022, and `demo`."""
    for corpus in (aesdd, cafe, crema_d, demo, emodb, emovo, iem4, ravdess, savee, shemo, subesco):
        register(corpus.SPEC)
    register(shemo.SPEC_2022)
