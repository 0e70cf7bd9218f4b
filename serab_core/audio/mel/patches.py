"""Log-mels cut into patches of a fixed number of frames, as VGGish, TRILL and YAMNet take them."""

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
    """How a log-mel is cut.

    Attributes:
        frames: of a patch.
        hop: between patches, in frames.
        least: samples that a waveform is filled up to, with zeros.
        fill: where these zeros go: `end`, or `both` sides alike (the odd one at the end).
        whole: continue the waveform with zeros to a last whole patch; otherwise what is left over is dropped.
    """

    frames: int = 96
    hop: int = 96
    least: int = 0
    fill: Literal["end", "both"] = "end"
    whole: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for patches that do not exist."""
        if min(self.frames, self.hop) < 1 or self.least < 0:
            raise UsageError(f"a patch of {self.frames} frames every {self.hop} is none")


VGGISH_PATCHES = PatchSpec(least=16_000, fill="both")
"""0.96 s, one behind the other; under 1 s, silence around it (the released SERAB code draws its place at random)."""
YAMNET_PATCHES = PatchSpec(hop=48, least=15_600, whole=True)
"""0.96 s every 0.48 s, the waveform continued to whole patches of at least 0.975 s (YAMNet's released parameters)."""


def fill_up(samples: NDArray[np.float32], patches: PatchSpec, spec: LogMelSpec) -> NDArray[np.float32]:
    """The waveform with the zeros that its patches need.

    Args:
        samples: 1-D.
        patches: how it will be cut.
        spec: of a log-mel that is not centred.

    Raises:
        UsageError: the specification is centred: frames of its own already reach beyond the waveform.
    """
    if spec.centred:
        raise UsageError("has frames beyond its ends, and no patches", where=f"log-mel specification {spec.name}")
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
    """The patches of a waveform's log-mel.

    Args:
        samples: as `log_mel` takes them.
        spec: not centred, with frames first.
        patches: how to cut.

    Returns:
        float32, shape (patches, frames, n_mels); without overlap, a view of the log-mel.

    Raises:
        AudioError, UsageError: as `log_mel` and `fill_up`; or the waveform is too short for one patch.
    """
    given = np.asarray(samples)
    filled = fill_up(given, patches, spec) if given.ndim == 1 and given.size else given
    mels = log_mel(filled, spec)
    if spec.mels_first:
        mels = np.ascontiguousarray(mels.T)
    count = 1 + (len(mels) - patches.frames) // patches.hop if len(mels) >= patches.frames else 0
    if patches.hop == patches.frames:
        return mels[: count * patches.frames].reshape(count, patches.frames, spec.n_mels)
    starts = np.lib.stride_tricks.sliding_window_view(mels, (patches.frames, mels.shape[1]))[:: patches.hop, 0]
    return np.ascontiguousarray(starts[:count])
