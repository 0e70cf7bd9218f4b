"""BYOL-S (arXiv:2110.03414) with 512, 1024 and 2048 dimensions, and extractors written by `serab pretrain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_byol.catalogue import family

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register one extractor for each size. `byol-s` means the largest, which is the best in the paper."""
    for spec in family("byol-s"):
        register(spec, default=spec.dim == 2048)


@hookimpl
def serab_make_extractor(argument: str) -> ExtractorSpec:
    """Return the extractor in a folder that `serab pretrain` wrote."""
    from serab_plugin_byol.pretrain.run_folder import extractor_in

    return extractor_in(Path(argument))
