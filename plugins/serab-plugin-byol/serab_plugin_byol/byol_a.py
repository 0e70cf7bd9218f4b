"""BYOL-A (arXiv:2103.06695) in 512, 1024 and 2048 numbers; the weights come under NTT's evaluation licence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_byol.catalogue import family

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Registers the sizes; the bare name is the largest, the paper's best."""
    for spec in family("byol-a"):
        register(spec, default=spec.dim == 2048)
