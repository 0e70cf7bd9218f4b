"""The standard streams of the command: none is missing, and a result that cannot be written is an error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any, NoReturn

from serab_core.errors import StoreError


class OutputError(StoreError):
    """Standard output cannot be written: it is closed, or its disk is full."""


class ResultStream(io.TextIOWrapper):
    """Standard output, whose failures raise `OutputError`, except a closed pipe, as with `head`."""

    def write(self, text: str, /) -> int:
        """Write text."""
        try:
            return super().write(text)
        except OSError as error:
            _fail(error)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            super().flush()
        except OSError as error:
            _fail(error)


class MessageStream(io.TextIOWrapper):
    """Standard error, whose failures are ignored: there is no other place to report them."""

    def write(self, text: str, /) -> int:
        """Write text."""
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        with contextlib.suppress(OSError):
            super().flush()


class _ClosedFile(io.RawIOBase):
    """A replacement for a closed standard output."""

    def writable(self) -> bool:
        """Return True; the first write then fails."""
        return True

    def write(self, content: Any, /) -> NoReturn:
        """Raise the error that the system raises for a closed file."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def prepare_streams() -> None:
    """Give this process its three standard streams, even if it was started without some of them.

    A closed descriptor is opened on the null device. Otherwise the next file that a library opens would get its number,
    and native code would print into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # opens the lowest free number, which is this one
    output = io.BufferedWriter(_ClosedFile(), 1) if sys.stdout is None else _detached(sys.stdout)
    if output is not None:
        sys.stdout = ResultStream(output, **_options(sys.stdout))
    messages = open(2, "wb", closefd=False) if sys.stderr is None else _detached(sys.stderr)  # noqa: SIM115
    if messages is not None:
        sys.stderr = MessageStream(messages, **_options(sys.stderr))
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115


def finish_output() -> None:
    """Flush standard output. Raises OutputError."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        raise


def drop_output() -> None:
    """Discard buffered output that cannot be written, so that Python does not report the error again at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
    with contextlib.suppress(OSError, ValueError, AttributeError, StoreError):
        sys.stdout.flush()


def _detached(stream: Any) -> Any:
    """Return the binary buffer of a text stream; None for a stream that is not Python's standard one."""
    if type(stream) is not io.TextIOWrapper:
        return None
    with contextlib.suppress(OSError):
        stream.flush()
    return stream.buffer


def _options(stream: Any) -> dict[str, Any]:
    if stream is None:
        return {"encoding": "utf-8", "errors": "backslashreplace", "line_buffering": True}
    buffering = {"line_buffering": stream.line_buffering, "write_through": stream.write_through}
    return {"encoding": stream.encoding, "errors": "backslashreplace", **buffering}


def _fail(error: OSError) -> NoReturn:
    if error.errno == errno.EPIPE:
        raise error
    step = "free some space there" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "send it to a file or a terminal"
    raise OutputError(
        f"cannot be written ({(error.strerror or type(error).__name__).lower()}), so the result is not shown",
        where="standard output",
        next_step=f"{step}, and run the same command again",
    ) from error
