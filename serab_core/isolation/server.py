"""The child's side: answers what is asked through its standard input, until there is no more."""

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

_LONGEST_TEXT = 1_000
_LOOK_S = 1.0


def serve(embed: Embed) -> None:
    """Answers `Process.embed` until there are no more questions.

    Args:
        embed: gives float32 (k, d) for k arrays of shape (rows, samples). What it raises becomes the answer.
    """
    answer({"embed": lambda header, arrays, stream: ({}, [embed(arrays)])})


def answer(handlers: Mapping[str, Handler]) -> None:
    """Answers `Process.ask` until there are no more questions.

    Args:
        handlers: by what is to be done: gets plain values, arrays, and those that come one at a time behind the
            question; gives plain values and arrays. What it raises becomes the answer.
    """
    for name in ("SIGINT", "SIGHUP"):  # the end of its input ends it
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    faulthandler.enable()  # the last words of one that crashes say where
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    offline.disable_if_requested()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever libraries print stays out of the answers
    _empty_stdin()
    while (request := receive(requests)) is not None:
        header, arrays = request
        stream = _stream(requests)
        try:
            values, returned = handlers[header["do"]](header, arrays, stream)
            message = values, list(returned)
        except SerabError as error:
            message = {"error": error.as_json()}, []
        except (Exception, SystemExit) as error:  # a stranger's code
            message = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_TEXT]}, []
        if header.get("parts"):
            for _ in stream:
                pass  # what it did not want to see
        sys.stdout.flush()
        send(answers, *message)


def _empty_stdin() -> None:
    """Makes the standard input empty: a plugin that reads it would take the next question away."""
    with Path(os.devnull).open("rb") as empty:
        os.dup2(empty.fileno(), 0)


def _stream(requests: Any) -> Iterator[NDArray[np.float32]]:
    while (message := receive(requests)) is not None and message[0]["part"]:
        yield message[1][0]


def _end_with(parent: int) -> None:
    """Ends this process when whoever started it is gone, though it does not look at its input just then."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    end_process(1)
