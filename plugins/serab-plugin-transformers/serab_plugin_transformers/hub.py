"""Find the files, the commit and the configuration of `ORG/NAME[@REVISION]`. This module does not import torch."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.plugin import UsageError, WeightsError, absolute_path
from serab_plugin_transformers.checkpoint import CONFIG, CONFIGS, content_digest, read_configuration, weight_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "pytorch_model.bin.index.json")
_TIMEOUT_S = 8.0  # seconds to wait for the hub before the local cache is used


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the hub, or a folder of the same shape.

    Attributes:
        argument: the argument of `hf:`.
        revision: the commit, or the sha256 of a folder's weights and JSON files.
        config: configuration of the model.
        front_end: configuration of its feature extractor; empty if there is none.
        folder: folder of its files; the weights may not be downloaded yet.
        local: whether the folder belongs to the user, not to the cache of the hub.
    """

    argument: str
    revision: str
    config: Mapping[str, Any]
    front_end: Mapping[str, Any]
    folder: Path
    local: bool


def find(argument: str) -> Model:
    """Find a model, and download its configuration files only.

    Args:
        argument: `ORG/NAME`, `ORG/NAME@REVISION`, or a folder that `save_pretrained` wrote.

    Raises:
        WeightsError: the model is not in the cache, and the hub cannot be reached or does not have it.
        UsageError: the folder or repository does not hold a model.
    """
    if argument.startswith((".", "/", "~")):
        folder = absolute_path(argument)
        if not (folder / CONFIG).is_file():
            raise UsageError(
                "holds no config.json" if folder.is_dir() else "is not a folder",
                where=folder,
                next_step=_folder_step(folder),
            )
        weight_files(folder)
        config, front_end = read_configuration(folder)
        return Model(argument, content_digest(folder), config, front_end, folder, local=True)
    folder = _snapshot(argument, CONFIGS)
    return Model(argument, folder.name, *read_configuration(folder), folder, local=False)


def with_weights(model: Model) -> Path:
    """Return the model's folder with its weights, which are downloaded if necessary. Raises WeightsError."""
    if model.local:
        return model.folder
    repository = model.argument.partition("@")[0]
    return _snapshot(f"{repository}@{model.revision}", (*CONFIGS, *_patterns(model.folder, repository, model)))


def _folder_step(folder: Path) -> str:
    """Return advice for a folder without a model. The Trainer of transformers writes checkpoints into subfolders."""
    inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    if inside:
        return f"name the folder inside that holds the model, such as {folder / inside[-1]}"
    return "name a folder that save_pretrained wrote, or ORG/NAME"


def _patterns(folder: Path, repository: str, model: Model) -> Sequence[str]:
    """Return patterns of the weight files to download: only safetensors, if the repository has them."""
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE or any(folder.glob("*.safetensors")):
        return _WEIGHTS
    with contextlib.suppress(Exception):  # the download reports the same error
        names = HfApi().list_repo_files(repository, revision=model.revision)
        if any(name.endswith(".safetensors") for name in names):
            return _WEIGHTS[:2]
    return _WEIGHTS


def _snapshot(argument: str, patterns: Sequence[str]) -> Path:
    """Return the folder of a commit with these files. If the hub does not respond, the local cache is used."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    repository, _, revision = argument.partition("@")

    def get(local: bool) -> Path:
        return Path(
            snapshot_download(
                repository, revision=revision or None, allow_patterns=list(patterns), local_files_only=local,
                etag_timeout=_TIMEOUT_S / 2,
            )
        )  # fmt: skip

    small = tuple(patterns) == CONFIGS
    try:
        folder = get(True) if constants.HF_HUB_OFFLINE else _with_timeout(lambda: get(False)) if small else get(False)
    except HFValidationError as error:
        raise UsageError(
            f"hf:{argument} is not a valid name of a model", next_step="write hf:ORG/NAME, or hf:./FOLDER"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise WeightsError(
            "is not on the hub, or access to it is restricted",
            where=f"hf:{argument}",
            next_step="check its name and revision on huggingface.co; for a gated model: hf auth login",
        ) from error
    except Exception as error:
        try:
            folder = get(True)
        except Exception:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise WeightsError(
                f"cannot be fetched ({reason}), and is not in {constants.HF_HUB_CACHE}. Needed: config.json, "
                "preprocessor_config.json and model.safetensors; only the hub has their sizes and sha256",
                where=f"hf:{argument}",
                next_step=f"run `hf download {repository} --local-dir FOLDER` on a machine with a network, copy FOLDER "
                "here, and use hf:./FOLDER",
            ) from error
    if not (folder / "config.json").is_file():
        raise UsageError(
            "has no config.json", where=f"hf:{argument}", next_step="use a model of the transformers library"
        )
    return folder


def _with_timeout(call: Callable[[], Path]) -> Path:
    """Return the result of a call. Raises TimeoutError after a few seconds: DNS retries can take minutes."""
    results: list[Path] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            results.append(call())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True, name="hub")
    thread.start()
    thread.join(_TIMEOUT_S)
    if results:
        return results[0]
    raise errors[0] if errors else TimeoutError(f"no response within {_TIMEOUT_S:.0f} s")
