"""Which files `ORG/NAME[@REVISION]` means, at which commit, and what its configuration says; without torch."""

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
_TIMEOUT_S = 8.0


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the hub, or a folder of the same shape.

    Attributes:
        argument: as it was asked for.
        revision: the commit, or the sha256 of a folder's weights and JSON files.
        config: of the model.
        front_end: of its feature extractor; empty where it has none.
        folder: of its files; weights may not be there yet.
        local: whether it is the user's own folder.
    """

    argument: str
    revision: str
    config: Mapping[str, Any]
    front_end: Mapping[str, Any]
    folder: Path
    local: bool


def find(argument: str) -> Model:
    """The model, by its small files alone.

    Args:
        argument: `ORG/NAME`, `ORG/NAME@REVISION`, or a folder that `save_pretrained` wrote.

    Raises:
        WeightsError: it is not here, and the hub cannot be asked or does not have it.
        UsageError: what is there is no model.
    """
    if argument.startswith((".", "/", "~")):
        folder = absolute_path(argument)
        if not (folder / CONFIG).is_file():
            raise UsageError(
                "holds no config.json" if folder.is_dir() else "is no folder",
                where=folder,
                next_step=_folder_step(folder),
            )
        weight_files(folder)
        config, front_end = read_configuration(folder)
        return Model(argument, content_digest(folder), config, front_end, folder, local=True)
    folder = _snapshot(argument, CONFIGS)
    return Model(argument, folder.name, *read_configuration(folder), folder, local=False)


def with_weights(model: Model) -> Path:
    """The folder with the model's weights in it, downloaded if need be. Raises WeightsError."""
    if model.local:
        return model.folder
    repository = model.argument.partition("@")[0]
    return _snapshot(f"{repository}@{model.revision}", (*CONFIGS, *_patterns(model.folder, repository, model)))


def _folder_step(folder: Path) -> str:
    """Advice on a folder that holds no model; the Trainer of transformers writes checkpoints into subfolders."""
    inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    if inside:
        return f"name the folder inside that holds the model, such as {folder / inside[-1]}"
    return "name a folder that save_pretrained wrote, or ORG/NAME"


def _patterns(folder: Path, repository: str, model: Model) -> Sequence[str]:
    """The weight files to get: safetensors, where the repository has them."""
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE or any(folder.glob("*.safetensors")):
        return _WEIGHTS
    with contextlib.suppress(Exception):  # a guess spared; what is wrong comes out when files are asked for
        names = HfApi().list_repo_files(repository, revision=model.revision)
        if any(name.endswith(".safetensors") for name in names):
            return _WEIGHTS[:2]
    return _WEIGHTS


def _snapshot(argument: str, patterns: Sequence[str]) -> Path:
    """The folder of a commit with these files in it. The cache is enough where it has them and the hub is silent."""
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
        folder = get(True) if constants.HF_HUB_OFFLINE else _soon(lambda: get(False)) if small else get(False)
    except HFValidationError as error:
        raise UsageError(f"hf:{argument} is no name of a model", next_step="say hf:ORG/NAME, or hf:./FOLDER") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise WeightsError(
            "is not on the hub, or is not for everybody",
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
                "preprocessor_config.json and model.safetensors, whose sizes and sha256 only the hub can tell",
                where=f"hf:{argument}",
                next_step=f"`hf download {repository} --local-dir FOLDER` where there is a network, bring FOLDER here, "
                "and name it: hf:./FOLDER",
            ) from error
    if not (folder / "config.json").is_file():
        raise UsageError(
            "has no config.json", where=f"hf:{argument}", next_step="it has to be a model of the transformers library"
        )
    return folder


def _soon(call: Callable[[], Path]) -> Path:
    """What a call returns, if it does so soon: a name server that is silent would be asked for minutes."""
    got: list[Path] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            got.append(call())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True, name="hub")
    thread.start()
    thread.join(_TIMEOUT_S)
    if got:
        return got[0]
    raise failed[0] if failed else TimeoutError("no answer")
