"""YAMNet from TensorFlow Hub, and as a TFLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_tfhub.models import YAMNET, lite_spec, spec_of

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register YAMNet and its variants."""
    for spec in (
        spec_of(
            "yamnet", YAMNET, "whole", "YAMNet from TensorFlow Hub, 0.96 s every 0.48 s, mean over frames; 1024 numbers"
        ),
        spec_of("yamnet/paper", YAMNET, "windows", "YAMNet on consecutive windows of 0.96 s, as in SERAB's paper"),
        lite_spec(),
    ):
        register(spec)
