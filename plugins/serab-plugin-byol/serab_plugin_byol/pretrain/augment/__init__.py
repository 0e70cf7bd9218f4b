"""The augmentations that make two views of a segment. They process whole batches on the device of the log-mels.

Source: arXiv:2103.06695, section III-B. Each module states the formula of its augmentation. Random numbers come from a
generator that is created for every step, so that a step can be repeated.
"""

from serab_plugin_byol.pretrain.augment.crop import RandomResizedCrop
from serab_plugin_byol.pretrain.augment.mixup import Mixup
from serab_plugin_byol.pretrain.augment.norm import RunningNorm, standardise

__all__ = ["Mixup", "RandomResizedCrop", "RunningNorm", "standardise"]
