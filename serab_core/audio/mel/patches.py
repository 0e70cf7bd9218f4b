"""Log-mels cut into patches of a fixed number of frames, the input of VGGish, TRILL and YAMNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from serab_core.audio.mel.compute import log_mel
from serab_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from serab_core.audio.mel.spec import LogMelSpec


@dataclass(frozen=True, slots=True)
class PatchSpec:
    """How a log-mel is cut into patches.

    Attributes:
        frames: frames of a patch.
        hop: frames between the starts of two patches.
        least: minimum number of samples; a shorter waveform is padded with zeros.
        fill: where these zeros go: `end`, or `both` sides equally (an odd zero at the end).
        whole: pad the waveform with zeros until its last patch is complete; otherwise the remaining frames are dropped.
    """

    frames: int = 96
    hop: int = 96
    least: int = 0
    fill: Literal["end", "both"] = "end"
    whole: bool = False

    def __post_init__(self) -> None:
        """Check the values. Raises UsageError."""
        if min(self.frames, self.hop) < 1 or self.least < 0:
            raise UsageError(
                f"a patch of {self.frames} frames every {self.hop}, of at least {self.least} samples, is not possible",
                next_step="give frames and hop of at least 1, and least of at least 0",
            )


VGGISH_PATCHES = PatchSpec(least=16_000, fill="both")
"""0.96 s each, without overlap; a waveform under 1 s is centred in zeros (SERAB's code places it at random)."""
YAMNET_PATCHES = PatchSpec(hop=48, least=15_600, whole=True)
"""0.96 s every 0.48 s; the waveform is padded to whole patches and at least 0.975 s (YAMNet's released parameters)."""


def fill_up(samples: NDArray[np.float32], patches: PatchSpec, spec: LogMelSpec) -> NDArray[np.float32]:
    """Return the waveform with the zeros that its patches need.

    Args:
        samples: 1-D.
        patches: how the log-mel will be cut.
        spec: the specification of a log-mel that is not centred.

    Raises:
        UsageError: the specification is centred, so that frames reach beyond the waveform.
    """
    if spec.centred:
        raise UsageError(
            "has frames beyond its ends, so that it cannot be cut into patches",
            where=f"log-mel specification {spec.name}",
            next_step="use a specification with centred=False",
        )
    missing = max(0, patches.least - len(samples))
    before = missing // 2 if patches.fill == "both" else 0
    filled = np.pad(samples, (before, missing - before))
    if patches.whole:
        first = spec.window + (patches.frames - 1) * spec.hop
        step = patches.hop * spec.hop
        missing = -(len(filled) - first) if len(filled) < first else -(len(filled) - first) % step
        filled = np.pad(filled, (0, missing))
    return filled


def log_mel_patches(samples: ArrayLike, spec: LogMelSpec, patches: PatchSpec) -> NDArray[np.float32]:
    """Compute the patches of the log-mel of a waveform.

    Args:
        samples: see `log_mel`.
        spec: the specification, which is not centred.
        patches: how to cut the log-mel.

    Returns:
        float32, shape (patches, frames, n_mels); without overlap, a view of the log-mel.

    Raises:
        AudioError, UsageError: see `log_mel` and `fill_up`.
    """
    array = np.asarray(samples)
    filled = fill_up(array, patches, spec) if array.ndim == 1 and array.size else array
    mels = log_mel(filled, spec)
    if spec.mels_first:
        mels = np.ascontiguousarray(mels.T)
    count = 1 + (len(mels) - patches.frames) // patches.hop if len(mels) >= patches.frames else 0
    if patches.hop == patches.frames:
        return mels[: count * patches.frames].reshape(count, patches.frames, spec.n_mels)
    starts = np.lib.stride_tricks.sliding_window_view(mels, (patches.frames, mels.shape[1]))[:: patches.hop, 0]
    return np.ascontiguousarray(starts[:count])
