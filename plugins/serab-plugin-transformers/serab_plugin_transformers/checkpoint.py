"""The files of a model in a folder: the weight files that are loaded, their integrity, and the configuration files."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.plugin import (
    POINTER_BYTES,
    UsageError,
    WeightsError,
    known_sha256,
    require_intact,
    require_no_pointer,
    store_error,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
CONFIG, FRONT_END, PROCESSOR = "config.json", "preprocessor_config.json", "processor_config.json"
CONFIGS = (CONFIG, FRONT_END, PROCESSOR)
_NAMES = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Weight files in the order in which transformers looks for them."""
_OTHER_FORMATS = ("tf_model.h5", "flax_model.msgpack", "*.onnx", "*.gguf")
_ADAPTER = "adapter_config.json"
_DOWNLOAD_AGAIN = "download it again, or save the model there again with save_pretrained"
_KEYS_OF_AUDIO = ("conv_dim", "feat_extract_norm", "num_mel_bins", "feature_projection_input_dim", "mask_time_prob")
"""Keys of config.json that only audio models have, which need a feature extractor."""


def read_object(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file, or an empty object if the file does not exist.

    Raises:
        WeightsError: the file is a git-lfs or git-annex pointer.
        UsageError: the file does not contain a JSON object.
        StoreError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise store_error(error, path, "read") from error
    require_no_pointer(path, content[:POINTER_BYTES])
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"is not valid JSON ({error})", where=path, next_step="download it again") from error
    if not isinstance(value, dict):
        raise UsageError("is not a JSON object", where=path, next_step="download it again")
    return value


def read_configuration(folder: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the configurations of the model and of its feature extractor, which is empty if there is none.

    transformers prefers the feature extractor inside processor_config.json to the one in preprocessor_config.json.
    """
    nested = read_object(folder / PROCESSOR).get("feature_extractor")
    front_end = nested if isinstance(nested, dict) and nested else read_object(folder / FRONT_END)
    return read_object(folder / CONFIG), front_end


def require_front_end(config: Mapping[str, Any], front_end: Mapping[str, Any], where: str) -> None:
    """Raise WeightsError if an audio model has no configuration of a feature extractor."""
    if front_end or not any(key in config for key in _KEYS_OF_AUDIO):
        return
    base = config.get("_name_or_path")
    named = base if isinstance(base, str) and base and not Path(base).is_absolute() else "the model it was trained from"
    raise WeightsError(
        f"holds no {FRONT_END}, and no {PROCESSOR} with a feature_extractor: the input format of the model is unknown",
        where=where,
        next_step=f"save the feature extractor of {named} beside {CONFIG}: "
        "transformers.AutoFeatureExtractor.from_pretrained(...).save_pretrained(FOLDER)",
    )


def weight_files(folder: Path) -> Sequence[Path]:
    """Return the files that transformers loads the weights from; an index comes first.

    Raises:
        WeightsError: there are no weight files, or a shard that the index names is missing.
        UsageError: the index is not a JSON object.
    """
    if (folder / _ADAPTER).is_file():
        raise WeightsError(
            f"holds an adapter ({_ADAPTER}), which needs a base model from elsewhere",
            where=folder,
            next_step="merge the adapter into the model (merge_and_unload), save that to a new folder with "
            "save_pretrained, and name the new folder",
        )
    explicit: object = None
    with contextlib.suppress(UsageError):  # a broken config.json is reported where the configuration is read
        explicit = read_object(folder / CONFIG).get("transformers_weights")
    names = (explicit,) if isinstance(explicit, str) else _NAMES
    weights = next((folder / name for name in names if (folder / name).is_file()), None)
    if weights is None:
        other_formats = [path.name for pattern in _OTHER_FORMATS for path in sorted(folder.glob(pattern))]
        others = f"; {other_formats[0]} has a format that serab does not read" if other_formats else ""
        raise WeightsError(
            f"holds no {names[0]}, the file of the weights{others}",
            where=folder,
            next_step="save the model there again with save_pretrained, or download its weights",
        )
    if not weights.name.endswith(".index.json"):
        return (weights,)
    shards = read_object(weights).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise WeightsError("names no weight files", where=weights, next_step=_DOWNLOAD_AGAIN)
    files = [folder / name for name in sorted({str(name) for name in shards.values()})]
    for path in files:
        if not path.is_file():
            raise WeightsError(f"is missing; {weights.name} names it", where=path, next_step=_DOWNLOAD_AGAIN)
    return (weights, *files)


def check_weights(folder: Path) -> None:
    """Raise WeightsError if a weight file is missing, truncated, empty, or a pointer. Reads headers only."""
    for path in weight_files(folder):
        require_intact(path)


def content_digest(folder: Path) -> str:
    """Return a sha256 over names and contents of the loaded weight files and all JSON files of the folder.

    Raises:
        WeightsError: there are no weights.
        StoreError: a file cannot be read.
    """
    files = {path.relative_to(folder).as_posix(): path for path in (*weight_files(folder), *folder.glob("*.json"))}
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\n{known_sha256(files[name])}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
