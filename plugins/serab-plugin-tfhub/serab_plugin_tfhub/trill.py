"""TRILL (arXiv:2002.12764) from TensorFlow Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_tfhub.models import TRILL, spec_of

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register TRILL and its variant."""
    for spec in (
        spec_of(
            "trill", TRILL, "windows", "TRILL's layer 19 from TensorFlow Hub, mean over 0.96 s windows; 12288 numbers"
        ),
        spec_of("trill/released", TRILL, "whole", "TRILL on whole clips, framed by itself, as SERAB released it"),
    ):
        register(spec)
