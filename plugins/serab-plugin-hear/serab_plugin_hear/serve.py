"""The process that a module runs in: `python -m serab_plugin_hear.serve MODULE WEIGHTS`.

An array without samples asks for the model's sample rate, dimension, framework, whether it has scenes, and whether it
bears company; any other is embedded, row by row.
"""

from __future__ import annotations

import sys
from functools import cache

import numpy as np

from serab_core.isolated import Process, serve
from serab_core.settings import working_folder
from serab_plugin_hear.module import HearModule

FRAMEWORKS = ("numpy", "torch", "tensorflow")


def start(module: str, weights: str) -> Process:
    """Starts it."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return Process(f"HEAR module {module}", "serab_plugin_hear.serve", [module, weights], quiet)


@cache
def _loaded(module: str, weights: str) -> HearModule:
    return HearModule(module, weights)


def _answer(module: str, weights: str, clips: list[np.ndarray]) -> np.ndarray:
    loaded = _loaded(module, weights)
    if clips[0].shape[1] == 0:
        facts = [loaded.rate, loaded.dim, FRAMEWORKS.index(loaded.framework), loaded.scenes, loaded.together]
        return np.array([facts], np.float32)
    return np.concatenate([loaded.embed(own) for own in clips])


if __name__ == "__main__":
    here, top = working_folder(), sys.argv[1].partition(".")[0]
    if here is not None and top and ((here / top).exists() or (here / f"{top}.py").exists()):
        sys.path.insert(0, str(here))  # the user names a module of the working folder
    serve(lambda clips: _answer(sys.argv[1], sys.argv[2], clips))
