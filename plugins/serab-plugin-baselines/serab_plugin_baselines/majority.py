"""`majority`: always the most frequent class of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_baselines.guesses import spec_of

if TYPE_CHECKING:
    from serab_core.plugin import ClassifierSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register `majority`."""
    register(spec_of("majority", "most_frequent", "always the most frequent class of training"))
