"""BYOL-S (arXiv:2110.03414) in 512, 1024 and 2048 numbers, and extractors that `serab pretrain` made."""

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
    """Registers the sizes; the bare name is the largest, the paper's best."""
    for spec in family("byol-s"):
        register(spec, default=spec.dim == 2048)


@hookimpl
def serab_make_extractor(argument: str) -> ExtractorSpec:
    """The extractor in a folder that `serab pretrain` wrote."""
    from serab_plugin_byol.pretrain.run_folder import extractor_in

    return extractor_in(Path(argument))
