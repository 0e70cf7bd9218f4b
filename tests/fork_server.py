"""A process that imports heavy libraries once, and forks a process for each script that it receives.

Importing torch and what stands on it takes ten times as long as the few steps of a test. A forked process has its own
folder, environment and output, and can be killed like any other process.

`python fork_server.py SOCKET PRELOAD` runs the Python code `PRELOAD`, and listens at the path of a Unix socket. Each
connection carries one request.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


class ForkedProcess:
    """A forked process, with those methods of `subprocess.Popen` that the tests use.

    Args:
        server: the socket of the server.
        script: Python code.
        arguments: arguments of the script.
        folder: working folder.
        environment: environment variables.
    """

    def __init__(
        self, server: Path, script: str, arguments: Sequence[str], folder: Path, environment: dict[str, str]
    ) -> None:
        self.args = ["-c", script, *arguments]
        self.returncode: int | None = None
        self._output = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115  `close` closes them
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(server))
        request = {"script": script, "arguments": list(arguments), "folder": str(folder), "environment": environment}
        socket.send_fds(self._connection, [b"\n"], [file.fileno() for file in self._output])
        self._connection.sendall(f"{json.dumps(request)}\n".encode())
        self.pid = self._receive_number()

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code of the process when it ends; negative if a signal ended it."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = self._receive_number()
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return the stdout and the stderr of the process when it ends."""
        self.wait(timeout)
        for file in self._output:
            file.seek(0)
        return self._output[0].read(), self._output[1].read()

    def _receive_number(self) -> int:
        """Return the next line of the server, and read nothing beyond it: the exit code may follow the id at once."""
        line = b""
        while not line.endswith(b"\n"):
            received = self._connection.recv(1)
            assert received, "the fork server has ended"
            line += received
        return int(line)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Kill the process if it is running, and close its files."""
        self.kill()
        self.wait()
        for file in (*self._output, self._connection):
            file.close()


@contextlib.contextmanager
def fork_server(preload: str) -> Iterator[Path]:
    """Start a server with one thread, and end it after use.

    Args:
        preload: Python code that imports what the scripts need.

    Yields:
        the socket of the server.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}
    with tempfile.TemporaryDirectory() as folder:  # not a folder of pytest, whose path may be too long for a socket
        path = Path(folder) / "socket"
        command = [sys.executable, "-P", __file__, str(path), preload]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"ready\n"
                yield path
            finally:
                server.kill()


def _serve(path: str, preload: str) -> None:
    exec(preload, {})
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    os.write(1, b"ready\n")
    while True:
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            continue
        # This process waits for the one that runs the script: only a parent gets the exit code.
        listener.close()
        _, output, _, _ = socket.recv_fds(connection, 1, 2)
        with connection.makefile() as requests:
            request = json.loads(requests.readline())
        child = os.fork()
        if child:
            for file in output:
                os.close(file)
            connection.sendall(f"{child}\n".encode())
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.sendall(f"{status}\n".encode())
            os._exit(0)
        connection.close()
        for number, file in enumerate(output, start=1):
            os.dup2(file, number)
            os.close(file)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        _draw_new_seeds()
        sys.argv[:] = ["-c", *request["arguments"]]
        exec(compile(request["script"], "<string>", "exec"), {"__name__": "__main__"})
        sys.exit(0)


def _draw_new_seeds() -> None:
    """Seed the random numbers of the process from the system, as a process that was not forked does."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
