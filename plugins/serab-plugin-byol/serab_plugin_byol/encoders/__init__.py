"""The networks. They turn log-mels of any number of frames into one vector per clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import torch

from serab_plugin_byol.encoders.audiontt import AudioNTT
from serab_plugin_byol.encoders.cvt import CvT

if TYPE_CHECKING:
    from torch import nn

    from serab_plugin_byol.architecture import Architecture

_Network = TypeVar("_Network", bound="nn.Module")

__all__ = ["AudioNTT", "CvT", "build", "channels_last"]


def build(architecture: Architecture) -> AudioNTT | CvT:
    """Return the network of an architecture, with random weights."""
    if architecture.encoder == "audiontt":
        return AudioNTT(architecture.dim)
    return CvT(architecture.channels, architecture.pool)


def channels_last(network: _Network) -> _Network:
    """Store the weights of a network's convolutions in channels-last layout, in place, in which they run fastest."""
    layout: dict[str, Any] = {"memory_format": torch.channels_last}  # torch's annotations of `Module.to` lack it
    placed: _Network = network.to(**layout)
    return placed
