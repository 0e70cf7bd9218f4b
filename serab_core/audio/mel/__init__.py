"""Waveforms to log-mels: one specification, compiled kernels on the CPU, torchaudio on a GPU.

The vectors, the passes and the bands are intrinsics that write LLVM's instructions (`simd`, `butterflies`, `bands`);
`kernels` strings them together, `tables` lays a specification out for them, and `compute` is what callers use.
"""

from serab_core.audio.mel.compute import log_mel, log_mels
from serab_core.audio.mel.patches import PatchSpec, log_mel_patches
from serab_core.audio.mel.spec import BYOL_A, NAMED, SERAB, VGGISH, YAMNET, LogMelSpec

__all__ = [
    "BYOL_A",
    "NAMED",
    "SERAB",
    "VGGISH",
    "YAMNET",
    "LogMelSpec",
    "PatchSpec",
    "log_mel",
    "log_mel_patches",
    "log_mels",
]
