"""BYOL-S/CvT (arXiv:2110.03414) in 256, 512 and 2048 numbers."""

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
    for spec in family("byol-s-cvt"):
        register(spec, default=spec.dim == 2048)
