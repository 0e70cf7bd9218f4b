"""Convert released weights: PyTorch files of both projects, with or without name prefixes, to safetensors."""

from __future__ import annotations

import re
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from serab_plugin_byol.encoders import build

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from serab_plugin_byol.architecture import Architecture

_AUDIONTT = [(rf"features\.{4 * i}\.", rf"blocks.{i}.conv.") for i in range(3)]
_AUDIONTT += [(rf"features\.{4 * i + 1}\.", rf"blocks.{i}.norm.") for i in range(3)]
_AUDIONTT += [(r"fc\.(\d)\.", r"head.\1.")]
_LAYER = r"layers\.(\d)\.2\.layers\.0\."
_CVT = [
    (r"layers\.(\d)\.0\.", r"stages.\1.embed."),
    (r"layers\.(\d)\.1\.g$", r"stages.\1.norm.gain"),
    (r"layers\.(\d)\.1\.b$", r"stages.\1.norm.bias"),
    *(
        (rf"{_LAYER}0\.fn\.{theirs}\.net\.{i}\.", rf"stages.\1.attention.{ours}.{part}.")
        for theirs, ours in (("to_q", "query"), ("to_kv", "key_value"))
        for i, part in enumerate(("depthwise", "norm", "pointwise"))
    ),
    (rf"{_LAYER}0\.fn\.to_out\.0\.", r"stages.\1.attention.out."),
    (rf"{_LAYER}0\.norm\.g$", r"stages.\1.attention_norm.gain"),
    (rf"{_LAYER}0\.norm\.b$", r"stages.\1.attention_norm.bias"),
    (rf"{_LAYER}1\.fn\.net\.0\.", r"stages.\1.mlp.0."),
    (rf"{_LAYER}1\.fn\.net\.3\.", r"stages.\1.mlp.2."),
    (rf"{_LAYER}1\.norm\.g$", r"stages.\1.mlp_norm.gain"),
    (rf"{_LAYER}1\.norm\.b$", r"stages.\1.mlp_norm.bias"),
]
_RULES = {"audiontt": _AUDIONTT, "cvt": _CVT}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a PyTorch or safetensors file by name; in a Lightning checkpoint, those of `state_dict`.

    Raises:
        ValueError: the file is neither, or holds objects other than tensors and plain values; their code is never run.
    """
    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError):
        pass
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(f"it holds no weights that PyTorch can read safely ({type(error).__name__})") from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not weights by name")
    return {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}


def rename_tensors(tensors: dict[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return the tensors of the network under the names that this package uses.

    Names may have any prefix, as in a checkpoint of a whole learner. If a file holds several networks, the tensors of
    the online encoder are used, because the target network is only a moving average of it.

    Raises:
        ValueError: tensors are missing or have another shape; the message names them.
    """
    wanted = build(architecture).state_dict()
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        for place in re.finditer(r"(?:^|\.)(?=(?:features|fc|layers|blocks|head|stages)\.)", name):
            new_name = _translated(name[place.end() :], architecture)
            if new_name in wanted:
                groups.setdefault(name[: place.end()], {})[new_name] = tensor
                break
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), "target" in item[0], item[0]))
    renamed = ranked[0][1] if ranked else {}
    # PyTorch has batch counters since 0.4.1; they have no effect in evaluation mode.
    missing = [name for name in wanted if name not in renamed and not name.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(f"{len(missing)} of {len(wanted)} tensors are missing, the first is {missing[0]}")
    for name, tensor in wanted.items():
        given = renamed.setdefault(name, tensor)
        if given.numel() != tensor.numel():
            raise ValueError(
                f"{name} has shape {tuple(given.shape)}, not {tuple(tensor.shape)}; the file is of another size"
            )
        renamed[name] = given.reshape(tensor.shape).to(tensor.dtype).contiguous().clone()
    return renamed


def convert(source: Path, target: Path, architecture: Architecture) -> None:
    """Convert a released file to safetensors. Raises ValueError as `read_tensors` and `rename_tensors` do."""
    save_file(rename_tensors(read_tensors(source), architecture), target, metadata={"format": "pt"})


def _translated(name: str, architecture: Architecture) -> str:
    for pattern, replacement in _RULES[architecture.encoder]:
        changed, count = re.subn(f"^{pattern}", replacement, name)
        if count:
            return changed
    return name
