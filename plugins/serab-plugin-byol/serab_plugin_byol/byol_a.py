"""BYOL-A (arXiv:2103.06695) with 512, 1024 and 2048 dimensions; NTT's evaluation licence covers the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_byol.catalogue import family

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register one extractor for each size. `byol-a` means the largest, which is the best in the paper."""
    for spec in family("byol-a"):
        register(spec, default=spec.dim == 2048)
