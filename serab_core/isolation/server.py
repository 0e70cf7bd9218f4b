"""The child's side: answers the requests from its standard input until the end of the input."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.errors import SerabError
from serab_core.isolation.messages import receive, send
from serab_core.system import offline
from serab_core.system.lifecycle import end_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    Arrays = list[NDArray[np.float32]]
    Embed = Callable[[Arrays], NDArray[np.float32]]
    Handler = Callable[[dict[str, Any], Arrays, Iterator[NDArray[np.float32]]], tuple[dict[str, Any], Iterable[Any]]]

_MAX_TEXT = 1_000  # characters of an error message
_POLL_S = 1.0  # seconds between two checks that the parent is running


def serve(embed: Embed) -> None:
    """Answer the requests of `Process.embed` until the end of the input.

    Args:
        embed: returns float32 of shape (k, d) for k arrays of shape (rows, samples). Its exceptions are sent back.
    """
    answer({"embed": lambda header, arrays, stream: ({}, [embed(arrays)])})


def answer(handlers: Mapping[str, Handler]) -> None:
    """Answer the requests of `Process.ask` until the end of the input.

    Args:
        handlers: functions by the name of the request. A handler gets the header, the arrays, and an iterator over the
            streamed arrays; it returns plain values and arrays. Its exceptions are sent back.
    """
    for name in ("SIGINT", "SIGHUP"):  # ignored, because the end of the input ends this process
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    faulthandler.enable()  # writes the place of a crash to stderr
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    offline.disable_if_requested()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the output of libraries must not mix with the answers
    _empty_stdin()
    while (request := receive(requests)) is not None:
        header, arrays = request
        stream = _stream(requests)
        try:
            values, returned = handlers[header["do"]](header, arrays, stream)
            message = values, list(returned)
        except SerabError as error:
            message = {"error": error.as_json()}, []
        except (Exception, SystemExit) as error:  # third-party code may raise anything
            message = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_TEXT]}, []
        if header.get("parts"):
            for _ in stream:
                pass  # skip the arrays that the handler did not read
        sys.stdout.flush()
        send(answers, *message)


def _empty_stdin() -> None:
    """Make the standard input empty, because a plugin that reads it would read the next request."""
    with Path(os.devnull).open("rb") as empty:
        os.dup2(empty.fileno(), 0)


def _stream(requests: Any) -> Iterator[NDArray[np.float32]]:
    while (message := receive(requests)) is not None and message[0]["part"]:
        yield message[1][0]


def _end_with(parent: int) -> None:
    """End this process when its parent has exited, even while it does not read its input."""
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    end_process(1)
