"""VGGish (arXiv:1609.09430) from TensorFlow Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_tfhub.models import VGGISH, spec_of

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register VGGish and its variant."""
    for spec in (
        spec_of("vggish", VGGISH, "centred", "VGGish from TensorFlow Hub, mean over 0.96 s frames; 128 numbers"),
        spec_of(
            "vggish/released", VGGISH, "drawn", "VGGish with clips under 1 s placed at random, as SERAB released it"
        ),
    ):
        register(spec)
