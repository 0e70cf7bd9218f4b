"""The parent's side of a child process that answers requests."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

from serab_core.errors import from_json
from serab_core.isolation.messages import DiedError, RemoteError, receive, send
from serab_core.isolation.python import child_environment, child_folder, python_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from serab_core.isolation.messages import Message


class Process:
    """A child process that runs a module which calls `serve` or `answer`.

    Args:
        name: the name of the process in messages.
        module: the module that `python -m` runs.
        arguments: the arguments of the module.
        environment: variables that differ from those of this process.
        python: the interpreter of another environment; this interpreter by default, with this process's `sys.path`.
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        python: Path | None = None,
    ) -> None:
        self._name = name
        self._stderr_file = tempfile.TemporaryFile()  # noqa: SIM115  it stays open as long as the process
        variables = child_environment()
        if python is not None:
            for variable in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
                variables.pop(variable, None)
            variables["PYTHONNOUSERSITE"] = "1"
        command = python_command() if python is None else [str(python), "-P"]
        try:
            self._child = subprocess.Popen(  # noqa: S603  a module of serab or of a plugin
                [*command, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr_file,
                cwd=child_folder(),
                env={**variables, **(environment or {})},
            )
        except OSError as error:
            self._stderr_file.close()
            raise RemoteError(f"{name} cannot be started: {error}") from error

    @property
    def alive(self) -> bool:
        """Whether the process is running and can be asked."""
        return self._child.poll() is None and self._child.stdin is not None and not self._child.stdin.closed

    def ask(
        self,
        header: Mapping[str, Any],
        arrays: Iterable[NDArray[np.float32]] = (),
        stream: Iterable[NDArray[np.float32]] | None = None,
    ) -> Message:
        """Send a request, and wait for the answer.

        Args:
            header: plain values.
            arrays: float32 arrays of any shapes, sent with the header.
            stream: further arrays, sent one at a time after the request; the handler gets them as an iterator.

        Returns:
            plain values and arrays.

        Raises:
            SerabError: the child raised it.
            RemoteError: the child raised another error, or died.
        """
        requests, answers = self._child.stdin, self._child.stdout
        assert requests is not None
        assert answers is not None
        try:
            send(requests, {**header, "parts": stream is not None}, arrays)
            if stream is not None:
                for array in stream:
                    send(requests, {"part": True}, [array])
                send(requests, {"part": False})
            answer = receive(answers)
        except (BrokenPipeError, EOFError, ValueError) as error:
            raise DiedError(f"{self._name}'s process died: {self._last_output()}") from error
        except BaseException:
            self._child.kill()  # it would read the next request as the rest of this one
            self._child.wait()
            raise
        if answer is None:
            raise DiedError(f"{self._name}'s process died: {self._last_output()}")
        values, returned = answer
        if "error" in values:
            raise from_json(values["error"]) if isinstance(values["error"], dict) else RemoteError(values["error"])
        return values, returned

    def embed(self, waveforms: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the embeddings from the child's function.

        Args:
            waveforms: float32, each of shape (rows, samples).

        Returns:
            float32, shape (len(waveforms), d).

        Raises:
            RemoteError: the function raised an error, or the process died.
        """
        return self.ask({"do": "embed"}, waveforms)[1][0]

    def kill(self) -> None:
        """Kill the process at once; a caller that waits for an answer gets DiedError."""
        self._child.kill()

    def close(self) -> None:
        """Close the pipes and end the process."""
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._stderr_file.close()

    def __del__(self) -> None:
        """End the process when this object is deleted."""
        if hasattr(self, "_child"):
            self.close()

    def _last_output(self) -> str:
        if self._stderr_file.closed:
            return "it was ended"
        try:
            code = self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = self._child.wait()
        self._stderr_file.seek(0)
        end = signal.Signals(-code).name if -code in signal.valid_signals() else f"exit code {code}"
        line = _last_line(self._stderr_file.read().decode(errors="replace"))
        return f"{end}; last line of its output: {line[:500]}" if line else end


def _last_line(text: str) -> str:
    """Return the last line; for a crash that faulthandler reports, the line with the place of the crash."""
    _, crashed, trace = text.rpartition("(most recent call first):")
    lines = [line.strip() for line in (trace if crashed else text).splitlines() if line.strip()]
    if crashed and lines and lines[0].startswith("File "):
        return lines[0]
    return lines[-1] if lines else ""
