"""An embedding function in a process of its own: for libraries that do not bear each other, or take the host down.

The child is a module that calls `serve`. A request is an int64 k, then k times two int64 (rows, samples) and that many
float32. An answer is an int64: 0, two more (k, d) and k x d float32; or 1, another with the length of a text, and that
text, which says what went wrong. Nothing is pickled, and the child ends with whoever started it, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from serab_core import offline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Embed = Callable[[list[NDArray[np.float32]]], NDArray[np.float32]]

_LONGEST_TEXT = 1_000


class Process:
    """A process that embeds.

    Args:
        name: what to call it in messages.
        module: what `python -m` runs; it calls `serve`.
        arguments: of that module.
        environment: variables that differ from this process's.
    """

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], environment: dict[str, str] | None = None
    ) -> None:
        self._name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        paths = os.pathsep.join(path for path in sys.path if path)
        self._child = subprocess.Popen(  # noqa: S603  a module of ours, or of a plugin
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": paths, **(environment or {})},
        )

    def embed(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """What the child's function returns.

        Args:
            waveforms: float32, each of shape (rows, samples).

        Returns:
            float32, shape (len(waveforms), d).

        Raises:
            RuntimeError: the function raised, or the process died.
        """
        given, answers = self._child.stdin, self._child.stdout
        assert given is not None
        assert answers is not None
        try:
            given.write(np.int64(len(waveforms)).tobytes())
            for rows in waveforms:
                given.write(np.array(rows.shape, np.int64).tobytes())
                given.write(np.ascontiguousarray(rows, np.float32).tobytes())
            given.flush()
            kind, size = self._numbers(2)
            if kind:
                raise RuntimeError(answers.read(size).decode())
            (dim,) = self._numbers(1)
            content = answers.read(4 * size * dim)
        except (BrokenPipeError, EOFError) as error:
            raise RuntimeError(f"{self._name}'s process died: {self._last_words()}") from error
        return np.frombuffer(content, np.float32).reshape(size, dim)

    def close(self) -> None:
        """Ends it."""
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._said.close()

    def __del__(self) -> None:
        """Ends it with its owner."""
        if hasattr(self, "_child"):
            self.close()

    def _numbers(self, count: int) -> tuple[int, ...]:
        assert self._child.stdout is not None
        content = self._child.stdout.read(8 * count)
        if len(content) < 8 * count:
            raise EOFError
        return tuple(int(number) for number in np.frombuffer(content, np.int64))

    def _last_words(self) -> str:
        code = self._child.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else f"exit code {code}"


def serve(embed: Embed) -> None:
    """Answers requests until there are no more.

    Args:
        embed: gives float32 (k, d) for k arrays of shape (rows, samples). What it raises becomes the answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of its input ends it
    offline.shut_if_asked()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever libraries print stays out of the answers
    while (waveforms := _read(requests)) is not None:
        try:
            got = np.ascontiguousarray(embed(waveforms), np.float32)
            answers.write(np.array([0, *got.shape], np.int64).tobytes() + got.tobytes())
        except Exception as error:  # a stranger's code
            text = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_TEXT].encode()
            answers.write(np.array([1, len(text)], np.int64).tobytes() + text)
        answers.flush()


def _read(requests: BinaryIO) -> list[NDArray[np.float32]] | None:
    head = requests.read(8)
    if len(head) < 8:
        return None
    waveforms = []
    for _ in range(int(np.frombuffer(head, np.int64)[0])):
        rows, samples = (int(size) for size in np.frombuffer(requests.read(16), np.int64))
        content = requests.read(4 * rows * samples)
        waveforms.append(np.frombuffer(content, np.float32).reshape(rows, samples))
    return waveforms
