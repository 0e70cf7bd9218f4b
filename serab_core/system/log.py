"""Logging: what serab writes to the loggers `serab...` of the standard library, and how a command shows it.

A Python program sees nothing unless it configures the logger `serab`. The command line shows messages on stderr with
`-v` (steps of a run) and `-vv` (also jobs, processes and files).
"""

from __future__ import annotations

import logging
import sys
from typing import ClassVar

logging.getLogger("serab").addHandler(logging.NullHandler())
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """A handler that writes to the present stderr, with control characters of third parties shown as codes."""

    instances: ClassVar[list[logging.Handler]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        from serab_core.system.terminal import escape_line

        return escape_line(super().format(record))


def show_log(verbosity: int) -> None:
    """Show serab's log on stderr.

    Args:
        verbosity: 0 for warnings, 1 also for the steps of a run, 2 also for jobs, processes and files.
    """
    logger = logging.getLogger("serab")
    while _StderrHandler.instances:
        logger.removeHandler(_StderrHandler.instances.pop())
    logger.setLevel(logging.NOTSET)
    if verbosity > 0:
        handler = _StderrHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(_LEVELS[min(verbosity, len(_LEVELS) - 1)])
        _StderrHandler.instances.append(handler)
