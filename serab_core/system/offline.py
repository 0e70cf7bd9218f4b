"""Keeps the network shut when asked: `serab --offline`, or SERAB_OFFLINE=1.

Python reports every address that its sockets are asked to reach, and every name that its resolver is asked for, before
it does so; code of serab or of a plugin is stopped there, and named. Three things are not stopped: native code that
opens sockets by itself (for the Hugging Face hub its own switches are set as well), programs that a plugin starts, and
sockets that only listen.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from serab_core.errors import OfflineError
from serab_core.system.session import OFFLINE_VARIABLE, current_session

if TYPE_CHECKING:
    from types import FrameType

VARIABLE = OFFLINE_VARIABLE
_OTHERS = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_RESOLVER_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
"""The first argument is a name or an address; `gethostbyname_ex` and `getfqdn` raise two of them."""
_EVENTS = (*_RESOLVER_EVENTS, "socket.connect", "socket.sendto", "socket.sendmsg")
_LIBRARIES = (
    "requests",
    "urllib3",
    "http",
    "socket",
    "ssl",
    "urllib",
    "httpx",
    "httpcore",
    "anyio",
    "asyncio",
)

_disabled = threading.Event()
_attempts: list[OfflineError] = []


def is_requested() -> bool:
    """Return whether the session or the environment asks for offline mode."""
    return current_session().offline or os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no")


def disable_network() -> None:
    """Disable the network for this process and for those that it starts."""
    for name in (VARIABLE, *_OTHERS):
        os.environ[name] = "1"
    _disabled.set()
    _add_hook()


@cache
def _add_hook() -> None:
    """Add the audit hook, once: Python has no way to remove one."""
    sys.addaudithook(_look)


def enable_network() -> None:
    """Enable the network again, for tests."""
    _disabled.clear()
    _attempts.clear()
    for name in (VARIABLE, *_OTHERS):
        os.environ.pop(name, None)


def disable_if_requested() -> None:
    """Disable the network where offline mode is asked for; processes that serab starts call this first."""
    if is_requested():
        disable_network()


def forget_attempts() -> None:
    """Forgets attempts that were told already."""
    _attempts.clear()


def raise_attempts() -> None:
    """Raises the first attempt since the last call, though whoever made it caught the error. Raises OfflineError."""
    if _attempts:
        first = _attempts[0]
        _attempts.clear()
        raise first


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if not _disabled.is_set() or event not in _EVENTS:
        return
    address = arguments[0] if event in _RESOLVER_EVENTS else arguments[-1]
    host = _host(address)
    if host is None:
        return
    error = OfflineError(
        f"tried to reach {host}, and the network is disabled ({VARIABLE})",
        where=_culprit(sys._getframe(1)),
        next_step="bring what it needs beforehand (serab weights list), or leave --offline out",
    )
    _attempts.append(error)
    raise error


def _host(address: Any) -> str | None:
    """The host of an address; None for sockets within this machine's own file system, and for none."""
    if isinstance(address, tuple) and address:
        return str(address[0])
    if isinstance(address, (bytes, bytearray)):
        address = bytes(address).decode(errors="replace")
    if isinstance(address, str) and address and not address.startswith(("/", "\0")):
        return address
    return None


def _culprit(frame: FrameType | None) -> str:
    """The module that asked: the nearest that is no library for networks."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name and name.partition(".")[0] not in _LIBRARIES and name != __name__:
            return name
        frame = frame.f_back
    return "this process"
