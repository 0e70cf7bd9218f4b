"""Compute log-mels of waveforms from one specification: compiled kernels on the CPU, torchaudio on a GPU.

`simd` (vectors), `butterflies` (FFT passes) and `bands` (mel bank, logarithm) are intrinsics that emit LLVM
instructions. `kernels` combines them, `tables` converts a specification to the arrays that they read, and `compute` has
the functions for callers.
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
