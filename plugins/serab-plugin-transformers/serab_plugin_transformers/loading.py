"""Load a model and its feature extractor. Models with random weights or remote code are refused."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from serab_core.plugin import SerabError, UsageError, WeightsError
from serab_plugin_transformers.checkpoint import check_weights, read_configuration

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_HARMLESS = (
    r"(^|\.)masked_spec_embed$",  # replaces masked frames, in training only
    r"(^|\.)num_batches_tracked$",  # counts training steps; batch norm does not use it in evaluation
    r"(^|\.)(position_ids|inv_freq)$",  # computed from the configuration, not trained
    r"^(classifier|projector|lm_head|proj_out|pooler|quantizer|project_q|project_hid)(\.|$)",  # heads; not run
)
"""Patterns of weights that may be missing in any family: no hidden state of the encoder depends on them."""
_HARMLESS_IN = {
    "whisper": (
        r"^(model\.)?decoder\.",  # only the encoder is run
        r"^(model\.)?encoder\.embed_positions\.weight$",  # sinusoids, which transformers computes
    ),
    "wav2vec2": (r"^adapter\.",),  # between the last hidden state and the heads
    "wavlm": (r"^adapter\.",),
    "unispeech": (r"^adapter\.",),
    "unispeech-sat": (r"^adapter\.",),
    "data2vec-audio": (r"^adapter\.",),
    "wav2vec2-conformer": (r"^adapter\.",),
    "wav2vec2-bert": (r"^adapter\.",),
}
"""Patterns of weights that may be missing in one family, by `model_type`, for the same reason."""
_NAMED = 4  # maximum number of keys that an error names


def load(folder: Path, where: str, dtype: Any) -> tuple[Any, Any]:
    """Return the model, in evaluation mode, and its feature extractor.

    Args:
        folder: folder of the model's files.
        where: name of the model in messages.
        dtype: torch type of the weights.

    Raises:
        WeightsError: a file is missing, damaged, or lacks weights that the embedding depends on.
        UsageError: the model needs code from its repository, or transformers does not know its type.
    """
    import torch

    # Any: transformers' types are incomplete, and some of its names are resolved lazily.
    transformers: Any = importlib.import_module("transformers")
    check_weights(folder)
    config, front_end = read_configuration(folder)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    _require_local_code(config, front_end, where)
    try:
        with torch.random.fork_rng(devices=[]):  # transformers draws random weights before it loads the saved ones
            # With this option, wrong shapes are reported, so that serab can raise its own error.
            model, report = transformers.AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                dtype=dtype,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
        _require_weights(report, str(config.get("model_type", "")), where)
        extractor = transformers.AutoFeatureExtractor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except SerabError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise WeightsError(
            f"transformers {transformers.__version__} cannot load it ({reason})",
            where=where,
            next_step="download the model again, or save it again with save_pretrained",
        ) from error
    return model.eval().requires_grad_(False), extractor


def _require_weights(report: Mapping[str, Collection[Any]], kind: str, where: str) -> None:
    """Raise WeightsError if weights of the model are missing in the files or have another shape."""
    patterns = (*_HARMLESS, *_HARMLESS_IN.get(kind, ()))
    missing = sorted(key for key in report["missing_keys"] if not any(re.search(pattern, key) for pattern in patterns))
    if missing:
        raise WeightsError(
            f"its weight files lack {len(missing)} of the model's weights ({_named(missing)}); transformers would use "
            "random values for them",
            where=where,
            next_step="download the model again, or save the whole model again with save_pretrained; config.json must "
            "be the one that belongs to the weights",
        )
    shapes = {key: (tuple(saved), tuple(needed)) for key, saved, needed in report["mismatched_keys"]}
    wrong = sorted(key for key in shapes if not any(re.search(pattern, key) for pattern in patterns))
    if wrong:
        saved, needed = shapes[wrong[0]]
        raise WeightsError(
            f"{len(wrong)} of its weights have another shape than config.json requires ({_named(wrong)}): "
            f"{wrong[0]} is {saved}, and should be {needed}",
            where=where,
            next_step="use the config.json that belongs to the weights",
        )


def _named(keys: list[str]) -> str:
    return ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")


def _require_local_code(config: Mapping[str, Any], front_end: Mapping[str, Any], where: str) -> None:
    """Raise UsageError for a model that transformers does not implement.

    A repository may name code of its own (`auto_map`) for a model that transformers also implements. In that case the
    implementation of transformers is used, not the repository's code.
    """
    from transformers import CONFIG_MAPPING, MODEL_MAPPING, __version__
    from transformers.models.auto.feature_extraction_auto import feature_extractor_class_from_name

    kind = str(config.get("model_type", ""))
    known = kind in CONFIG_MAPPING and CONFIG_MAPPING[kind] in MODEL_MAPPING
    front = str(front_end.get("feature_extractor_type") or "")
    for setting, section, is_known in (
        (f"model_type {kind!r}", config, known),
        (f"feature_extractor_type {front!r}", front_end, not front or bool(feature_extractor_class_from_name(front))),
    ):
        if is_known:
            continue
        remote = section.get("auto_map")
        if isinstance(remote, dict) and remote:
            raise UsageError(
                f"needs code from its own repository ({_code_files(remote)}), which serab never runs",
                where=where,
                next_step="use a model that transformers implements; or write a Python module with the HEAR API around "
                "this model, and use hear:./my_module.py",
            )
        raise UsageError(
            f"has {setting}, which transformers {__version__} does not know",
            where=where,
            next_step="check the spelling in the JSON file, or update: pip install -U transformers",
        )


def _code_files(remote: Mapping[str, Any]) -> str:
    classes = [
        str(class_name)
        for value in remote.values()
        for class_name in (value if isinstance(value, list) else [value])
        if class_name
    ]
    return ", ".join(sorted({f"{class_name.rpartition('--')[2].partition('.')[0]}.py" for class_name in classes}))
