"""Offline mode: `serab --offline`, or SERAB_OFFLINE=1, disables the network.

Python raises an audit event before a socket connects and before a name is resolved. The hook of this module raises an
error there, which names the module of serab or of a plugin. Three cases are not prevented: native code that opens
sockets itself (the offline variables of the Hugging Face hub are set too), programs that a plugin starts, and sockets
that only listen.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from serab_core.errors import OfflineError
from serab_core.system.hints import command
from serab_core.system.session import OFFLINE_VARIABLE, current_session

if TYPE_CHECKING:
    from types import FrameType

VARIABLE = OFFLINE_VARIABLE
_OTHERS = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_RESOLVER_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
"""The first argument of these events is a name or an address; `gethostbyname_ex` and `getfqdn` raise two of them."""
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
    """Return whether the session or the environment requests offline mode."""
    return current_session().offline or os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no")


def disable_network() -> None:
    """Disable the network for this process and for the processes that it starts."""
    for name in (VARIABLE, *_OTHERS):
        os.environ[name] = "1"
    _disabled.set()
    _add_hook()


@cache
def _add_hook() -> None:
    """Add the audit hook once, because Python cannot remove an audit hook."""
    sys.addaudithook(_audit)


def enable_network() -> None:
    """Enable the network again, for tests."""
    _disabled.clear()
    _attempts.clear()
    for name in (VARIABLE, *_OTHERS):
        os.environ.pop(name, None)


def disable_if_requested() -> None:
    """Disable the network if offline mode is requested; processes that serab starts call this first."""
    if is_requested():
        disable_network()


def forget_attempts() -> None:
    """Forget the attempts that were already reported."""
    _attempts.clear()


def raise_attempts() -> None:
    """Raise the OfflineError of the first attempt since the last call, even if a plugin has caught it."""
    if _attempts:
        first = _attempts[0]
        _attempts.clear()
        raise first


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise OfflineError for an event that would reach another machine."""
    if not _disabled.is_set() or event not in _EVENTS:
        return
    address = arguments[0] if event in _RESOLVER_EVENTS else arguments[-1]
    host = _host(address)
    if host is None:
        return
    error = OfflineError(
        f"tried to reach {host}, and the network is disabled ({VARIABLE})",
        where=_caller(sys._getframe(1)),
        next_step=f"download its files beforehand ({command('weights list')} shows them), or enable the network",
    )
    _attempts.append(error)
    raise error


def _host(address: Any) -> str | None:
    """Return the host of an address; None for Unix sockets, and for an empty address."""
    if isinstance(address, tuple) and address:
        return str(address[0])
    if isinstance(address, (bytes, bytearray)):
        address = bytes(address).decode(errors="replace")
    if isinstance(address, str) and address and not address.startswith(("/", "\0")):
        return address
    return None


def _caller(frame: FrameType | None) -> str:
    """Return the module that uses the network: the innermost frame outside the network libraries."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name and name.partition(".")[0] not in _LIBRARIES and name != __name__:
            return name
        frame = frame.f_back
    return "this process"
