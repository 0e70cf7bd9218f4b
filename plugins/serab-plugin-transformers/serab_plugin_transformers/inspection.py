"""The process that loads a model once before a run: `python -m serab_plugin_transformers.inspection`.

It keeps torch, and crashes caused by damaged files, out of the process that plans the run. A success is recorded by the
contents of the model and the versions of the libraries.
"""

from __future__ import annotations

import contextlib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from serab_core.plugin import (
    Process,
    RemoteError,
    StoreError,
    WeightsError,
    answer,
    digest,
    find_home,
    read_document,
    write_document,
)
from serab_plugin_transformers.checkpoint import check_weights
from serab_plugin_transformers.documents import CheckedModel
from serab_plugin_transformers.hub import with_weights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serab_plugin_transformers.hub import Model

_CHECKS = 1  # version of the checks in `loading.load`; increase it when they change, so that models are checked again


def inspect(model: Model) -> None:
    """Check that a model can be loaded, with every weight that its embeddings depend on.

    Raises:
        WeightsError: a file is missing or damaged, or lacks weights.
        UsageError: transformers does not implement the type of the model.
    """
    libraries = {name: metadata.version(name) for name in ("torch", "transformers")}
    checked = CheckedModel(
        schema="serab.hf-model/1",
        model=model.argument,
        revision=model.revision,
        libraries=libraries,
        checks=_CHECKS,
    )
    # A folder has the digest of its contents as revision, so that a moved folder is not checked again.
    ignored = {"schema", "model"} if model.local else {"schema"}
    identity = {key: value for key, value in msgspec.to_builtins(checked).items() if key not in ignored}
    record = find_home().weights / "hf" / f"{digest(identity)[:32]}.json"
    with contextlib.suppress(StoreError):  # without a valid record, the model is checked
        read_document(record, CheckedModel)
        return
    folder, where = with_weights(model), f"hf:{model.argument}"
    check_weights(folder)
    process = Process(where, "serab_plugin_transformers.inspection", [])
    try:
        process.ask({"do": "load", "folder": str(folder), "where": where})
    except RemoteError as error:
        raise WeightsError(
            f"cannot be loaded ({error})",
            where=where,
            next_step="download the model again; if the process was killed, there was too little memory",
        ) from error
    finally:
        process.close()
    write_document(record, checked)


def _load(header: dict[str, Any], arrays: object, streamed: object) -> tuple[dict[str, Any], Iterable[Any]]:
    import torch

    from serab_plugin_transformers.loading import load

    load(Path(header["folder"]), header["where"], torch.float32)
    return {}, ()


if __name__ == "__main__":
    answer({"load": _load})
