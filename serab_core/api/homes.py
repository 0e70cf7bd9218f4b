"""The home that a call of the Python interface uses."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.store.home import Home, find_home
from serab_core.system.session import current_session, use_session

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


@contextmanager
def use_home(home: str | os.PathLike[str] | None) -> Iterator[Home]:
    """Use a home during a call, also in worker processes; the home of the settings for None."""
    if home is None:
        yield find_home()
        return
    with use_session(current_session().with_home(Path(home).expanduser().absolute())):
        yield find_home()
