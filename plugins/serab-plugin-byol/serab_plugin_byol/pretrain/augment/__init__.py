"""What makes two views of a segment: batched, on the device that the log-mels lie on, without a loop over clips.

Sources: arXiv:2103.06695, section III-B. Each has its formula in its own file, and takes its random numbers from a
generator that is made anew for every step, so that a step can be repeated.
"""

from serab_plugin_byol.pretrain.augment.crop import RandomResizedCrop
from serab_plugin_byol.pretrain.augment.mixup import Mixup
from serab_plugin_byol.pretrain.augment.norm import RunningNorm, standardise

__all__ = ["Mixup", "RandomResizedCrop", "RunningNorm", "standardise"]
