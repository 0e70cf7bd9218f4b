"""serab: a plugin-based benchmark harness for speech emotion recognition.

The names below are those of the package `serab`. They are loaded at first use, so that `import serab_core` is fast
and `serab --help` loads no numerical library. Plugins use the names in `serab_core.plugin`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from serab_core import api as _api

if TYPE_CHECKING:
    from serab_core.api import *  # noqa: F403  its imports are the names of this package

__version__ = "0.1.0"
__all__ = sorted((*_api.__all__, "__version__"))


def __getattr__(name: str) -> Any:
    if name in _api.__all__:
        return getattr(_api, name)
    plugin = importlib.import_module("serab_core.plugin")  # for plugins written when these names were still here
    if name in plugin.__all__:
        return getattr(plugin, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
