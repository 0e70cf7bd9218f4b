"""The session: what one command, or one call of the Python interface, sets for itself and keeps in memory.

`cli` and `api` make a session and enter it; worker processes get it as data. What a session leaves open comes from the
environment and from files of settings (`serab_core.settings`).
"""

from __future__ import annotations

import atexit
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from pathlib import Path

_T = TypeVar("_T")
HOME_VARIABLE = "SERAB_HOME"
NO_PLUGINS_VARIABLE = "SERAB_NO_PLUGINS"
ISOLATE_VARIABLE = "SERAB_ISOLATE"
OFFLINE_VARIABLE = "SERAB_OFFLINE"


@dataclass(frozen=True, slots=True)
class Session:
    """What a command or a call sets for itself.

    Attributes:
        home: the folder where everything is stored; None for the one of the settings.
        plugins: whether plugins are loaded.
        isolate: whether every extractor runs in a process of its own.
        offline: whether the network is disabled.
        memory: what is loaded once for the session, such as the registry of plugins.
        closers: called when the session closes.
    """

    home: Path | None = None
    plugins: bool = True
    isolate: bool = False
    offline: bool = False
    memory: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)
    closers: list[Callable[[], None]] = field(default_factory=list, compare=False, repr=False)

    def cached(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what `make` returned the first time that this session was asked for `key`."""
        if key not in self.memory:
            self.memory[key] = make()
        value: _T = self.memory[key]
        return value

    def close(self) -> None:
        """Release what the session holds, such as processes of isolated extractors."""
        while self.closers:
            self.closers.pop()()
        self.memory.clear()
        atexit.unregister(self.close)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Have a function called when the session closes, or else when the process ends."""
        if not self.closers:
            atexit.register(self.close)
        self.closers.append(closer)

    def with_home(self, home: Path | None) -> Session:
        """Return a session with another home; with the same home, this session."""
        return self if home == self.home else replace(self.data(), home=home)

    def data(self) -> Session:
        """Return a copy for another process: the settings, without what is in memory."""
        return Session(self.home, self.plugins, self.isolate, self.offline)

    def environment(self) -> dict[str, str]:
        """Return the variables that carry the session to a program, such as a plugin's own interpreter."""
        variables = {
            HOME_VARIABLE: str(self.home) if self.home is not None else "",
            NO_PLUGINS_VARIABLE: "" if self.plugins else "1",
            ISOLATE_VARIABLE: "1" if self.isolate else "",
            OFFLINE_VARIABLE: "1" if self.offline else "",
        }
        return {name: value for name, value in variables.items() if value}


_process = [Session()]  # the session of threads that entered none
_current: ContextVar[Session | None] = ContextVar("serab_session", default=None)


def current_session() -> Session:
    """Return the session of this thread, or else of this process."""
    return _current.get() or _process[0]


@contextmanager
def use_session(session: Session) -> Iterator[Session]:
    """Make a session the current one of this thread; the one before is restored afterwards."""
    token = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(token)


def change_session(**changes: Any) -> Session:
    """Replace the current session of this thread by one with changed settings, and return it."""
    session = replace(current_session().data(), **changes)
    if _current.get() is None:
        _process[0] = session
    else:
        _current.set(session)
    return session


def set_process_session(session: Session) -> Session:
    """Make a session the one of every thread that entered none, and return the one before."""
    before = _process[0]
    _process[0] = session
    return before
