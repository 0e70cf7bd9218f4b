"""The networks: log-mels of any number of frames to one vector a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_plugin_byol.encoders.audiontt import AudioNTT
from serab_plugin_byol.encoders.cvt import CvT

if TYPE_CHECKING:
    from serab_plugin_byol.architecture import Architecture

__all__ = ["AudioNTT", "CvT", "build"]


def build(architecture: Architecture) -> AudioNTT | CvT:
    """The network of an architecture, with random weights."""
    if architecture.encoder == "audiontt":
        return AudioNTT(architecture.dim)
    return CvT(architecture.channels, architecture.pool)
