"""The process that a module runs in: `python -m serab_plugin_hear.serve MODULE WEIGHTS`.

It answers `describe` with the properties of the model and the files it depends on, and `embed` with one row per clip.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.plugin import Process, answer
from serab_plugin_hear.files import ReadFiles, hashes, imported_files, in_package, module_folder
from serab_plugin_hear.module import HearModule, add_to_path, local_base

if TYPE_CHECKING:
    from collections.abc import Iterable

    Answer = tuple[dict[str, Any], Iterable[Any]]


def start(module: str, weights: str) -> Process:
    """Start the process of a module."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return Process(f"HEAR module {module}", "serab_plugin_hear.serve", [module, weights], quiet)


@cache
def _loaded(module: str, weights: str) -> HearModule:
    return HearModule(module, weights)


def _describe(read: ReadFiles, module: str, weights: str, *_: object) -> Answer:
    loaded = _loaded(module, weights)
    folder = module_folder(module, loaded.file)
    files = {loaded.file, *imported_files(folder, in_package(module, loaded.file)), *read.beside(folder)}
    files = {path for path in files if not weights or not path.is_relative_to(Path(weights))}
    return {
        "rate": loaded.rate,
        "dim": loaded.dim,
        "framework": loaded.framework,
        "scenes": loaded.scenes,
        "together": loaded.together,
        "files": hashes(files),
    }, ()


def _embed(module: str, weights: str, header: dict[str, Any], arrays: list[Any], streamed: object) -> Answer:
    loaded = _loaded(module, weights)
    return {}, [np.concatenate([loaded.embed(clips) for clips in arrays])]


if __name__ == "__main__":
    local = local_base(sys.argv[1].partition(".")[0])
    if local is not None:
        add_to_path(local.parent)  # the user names a module of the working folder
    named = (sys.argv[1], sys.argv[2])
    answer({"describe": partial(_describe, ReadFiles(), *named), "embed": partial(_embed, *named)})
