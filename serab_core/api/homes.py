"""Which home a call of the interface uses."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.store.home import Home, find_home

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = "SERAB_HOME"


@contextmanager
def use_home(home: str | os.PathLike[str] | None) -> Iterator[Home]:
    """Use a home for the time of a call, also in worker processes; the one of the settings for None."""
    if home is None:
        yield find_home()
        return
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(Path(home).expanduser().absolute())
    try:
        yield find_home()
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
