"""`hear:MODULE` and `hear:MODULE=WEIGHTS`: extractors with the HEAR API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Extractor
    from serab_plugin_hear.about import About

SERAB_API_VERSION = 1
_LIBRARIES = {"torch": ("torch",), "tensorflow": ("tensorflow",), "numpy": ()}


@hookimpl
def serab_make_extractor(argument: str) -> ExtractorSpec:
    """The extractor of a module."""
    from serab_plugin_hear.about import about

    found = about(argument)
    how = "scene embeddings" if found.scenes else "mean of time stamps"
    alone = "" if found.together else "; a clip at a time, for it embeds them differently in company"
    return ExtractorSpec(
        name=f"hear:{argument}",
        factory=partial(_make, found),
        dim=found.dim,
        summary=f"HEAR module {found.module}, {how}{alone}; {found.dim} numbers",
        licence="the module's own",
        citation=_CITATION,
        sample_rate=found.rate,
        parameters={**found.identity, "scenes": found.scenes, "together": found.together},
        libraries=_LIBRARIES[found.framework],
        batch_size=8,
    )


_CITATION = """@inproceedings{turian2022hear,
  title     = {{HEAR}: Holistic Evaluation of Audio Representations},
  author    = {Turian, Joseph and Shier, Jordie and Khan, Humair Raj and Raj, Bhiksha and others},
  booktitle = {Proceedings of the NeurIPS 2021 Competitions and Demonstrations Track},
  pages     = {125--145},
  year      = {2022}
}"""
"""Of the interface; whom to cite for the model only its module's authors can tell."""


def _make(found: About) -> Extractor:
    from serab_plugin_hear.extractor import Hear

    return Hear(found)
