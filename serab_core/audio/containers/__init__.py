"""Lengths of audio files, computed from their bytes: one walker for each container that serab decodes.

For a truncated file, libsndfile reports the shortened length. For an mp3, it only estimates the length. So serab
compares the decoded length with the number of samples that these walkers count. They only read bytes, in linear time,
and never raise.
"""

from __future__ import annotations

from serab_core.audio.containers.identify import measure
from serab_core.audio.containers.length import Length, Plain, Stream

__all__ = ["Length", "Plain", "Stream", "measure"]
