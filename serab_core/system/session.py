"""The session: the settings and the cached objects of one command, or of one call of the Python interface.

`cli` and `api` create a session and enter it; worker processes receive it as data. Settings that the session does not
have come from the environment and from files of settings (`serab_core.settings`).
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

    from serab_core.system.hints import CommandLine

_T = TypeVar("_T")
HOME_VARIABLE = "SERAB_HOME"
NO_PLUGINS_VARIABLE = "SERAB_NO_PLUGINS"
ISOLATE_VARIABLE = "SERAB_ISOLATE"
OFFLINE_VARIABLE = "SERAB_OFFLINE"
INTERFACE_VARIABLE = "SERAB_INTERFACE"


@dataclass(frozen=True, slots=True)
class Session:
    """The settings of a command or a call.

    Attributes:
        home: the folder where everything is stored; None for the home of the settings.
        plugins: plugins are loaded.
        isolate: every extractor runs in a separate process.
        offline: the network is disabled.
        verbosity: how much of the log is shown on stderr; see `serab_core.system.log`.
        interface: how messages name commands and options; None for a Python program. See `serab_core.system.hints`.
        memory: objects that are created once per session, such as the registry of plugins.
        closers: functions to call when the session closes.
    """

    home: Path | None = None
    plugins: bool = True
    isolate: bool = False
    offline: bool = False
    verbosity: int = 0
    interface: CommandLine | None = None
    memory: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)
    closers: list[Callable[[], None]] = field(default_factory=list, compare=False, repr=False)

    def cached(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return the object cached as `key`; call `make` to create it at the first use in this session."""
        if key not in self.memory:
            self.memory[key] = make()
        value: _T = self.memory[key]
        return value

    def close(self) -> None:
        """Release the resources of the session, such as processes of isolated extractors."""
        while self.closers:
            self.closers.pop()()
        self.memory.clear()
        atexit.unregister(self.close)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Register a function to call when the session closes, or else when the process ends."""
        if not self.closers:
            atexit.register(self.close)
        self.closers.append(closer)

    def with_home(self, home: Path | None) -> Session:
        """Return this session's session for another home; it keeps what it has loaded until this session closes."""
        if home == self.home:
            return self

        def make() -> Session:
            session = replace(self.data(), home=home)
            self.on_close(session.close)
            return session

        return self.cached(("session with home", home), make)

    def data(self) -> Session:
        """Return a copy for another process: the settings, without cached objects."""
        return Session(self.home, self.plugins, self.isolate, self.offline, self.verbosity, self.interface)

    def environment(self) -> dict[str, str]:
        """Return the variables that pass the session to a program, such as a plugin's own interpreter."""
        variables = {
            HOME_VARIABLE: str(self.home) if self.home is not None else "",
            NO_PLUGINS_VARIABLE: "" if self.plugins else "1",
            ISOLATE_VARIABLE: "1" if self.isolate else "",
            OFFLINE_VARIABLE: "1" if self.offline else "",
            INTERFACE_VARIABLE: "shell" if self.interface is not None else "",
        }
        return {name: value for name, value in variables.items() if value}


_process = [Session()]  # the session of threads that have not entered a session
_current: ContextVar[Session | None] = ContextVar("serab_session", default=None)


def current_session() -> Session:
    """Return the session of this thread, or else the session of this process."""
    return _current.get() or _process[0]


@contextmanager
def use_session(session: Session) -> Iterator[Session]:
    """Set the current session of this thread; restore the previous session afterwards."""
    token = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(token)


def change_session(**changes: Any) -> Session:
    """Replace the current session of this thread by a session with changed settings, and return it."""
    replaced = current_session()
    session = replace(replaced.data(), **changes)
    replaced.close()
    if _current.get() is None:
        _process[0] = session
    else:
        _current.set(session)
    return session


def set_process_session(session: Session) -> Session:
    """Set the session of all threads that have not entered a session, and return the previous one."""
    before = _process[0]
    _process[0] = session
    return before
