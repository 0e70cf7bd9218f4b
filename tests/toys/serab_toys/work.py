"""Jobs for worker pools: ones that end their process, say nothing, or report."""

import os
import signal
import time
from pathlib import Path

WORKER = []


def initialise(report, number):
    WORKER[:] = [report, number]


def double(value):
    WORKER[0]("embed", 1)
    return 2 * value


def where(seconds):
    time.sleep(seconds)
    return WORKER[1], os.getpid()


def die(folder, times, how):
    """Ends its process so many times; then returns how often it was begun."""
    begun = len(list(Path(folder).iterdir())) + 1
    (Path(folder) / f"{begun}-{os.getpid()}").touch()
    if begun <= times:
        if how == "exit":
            os._exit(7)
        os.kill(os.getpid(), getattr(signal, how))
        time.sleep(60)
    return begun


def fail():
    raise KeyError("of its own")


def hang():
    time.sleep(600)


def chatter(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        WORKER[0]("tune", 1)
        time.sleep(0.05)
    return "done"


_leaked = []


def leak(size):
    """Holds on to so many bytes more, and says in which process."""
    _leaked.append(bytearray(b"x") * size)
    return os.getpid()
