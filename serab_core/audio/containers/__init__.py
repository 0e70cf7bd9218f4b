"""What an audio file's own bytes say of its length: one walker for each container that serab decodes.

libsndfile shortens the length it reports to what a cut file has left, and only estimates that of an mp3. So a decoded
length is compared with what these walkers count. They only look at bytes, in linear time, and never raise.
"""

from __future__ import annotations

from serab_core.audio.containers.identify import measure
from serab_core.audio.containers.length import Length, Plain, Stream

__all__ = ["Length", "Plain", "Stream", "measure"]
