"""`hear:MODULE` and `hear:MODULE=WEIGHTS`: extractors with the HEAR API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Extractor
    from serab_plugin_hear.documents import ModelInfo

SERAB_API_VERSION = 1
_LIBRARIES = {"torch": ("torch",), "tensorflow": ("tensorflow",), "numpy": ()}


@hookimpl
def serab_make_extractor(argument: str) -> ExtractorSpec:
    """Return the extractor of a module."""
    from serab_plugin_hear.model_info import model_info

    info = model_info(argument)
    source = "scene embeddings" if info.scenes else "mean of time stamps"
    batching = "" if info.together else "; one clip at a time, because a batch changes its embeddings"
    return ExtractorSpec(
        name=f"hear:{argument}",
        factory=partial(_make, info),
        dim=info.dim,
        summary=f"HEAR module {info.module}, {source}{batching}; {info.dim} numbers",
        licence="the module's own",
        citation=_CITATION,
        sample_rate=info.rate,
        parameters={**info.identity, "scenes": info.scenes, "together": info.together},
        libraries=_LIBRARIES[info.framework],
        batch_size=8,
    )


_CITATION = """@inproceedings{turian2022hear,
  title     = {{HEAR}: Holistic Evaluation of Audio Representations},
  author    = {Turian, Joseph and Shier, Jordie and Khan, Humair Raj and Raj, Bhiksha and others},
  booktitle = {Proceedings of the NeurIPS 2021 Competitions and Demonstrations Track},
  pages     = {125--145},
  year      = {2022}
}"""
"""Citation of the interface. The citation of the model is known to the authors of the module only."""


def _make(info: ModelInfo) -> Extractor:
    from serab_plugin_hear.extractor import Hear

    return Hear(info)
