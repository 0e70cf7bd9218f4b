"""Checks in a separate process: a plugin that crashes or hangs fails one check, and the command continues."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from serab_core.isolation.messages import DiedError
from serab_core.isolation.process import Process
from serab_core.isolation.server import answer
from serab_core.plugins.entry_points import Group
from serab_core.testing.runner import Outcome, checks_of, run_check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serab_core.testing.checks import Check
    from serab_core.testing.runner import State


def run_in_child(subjects: Sequence[tuple[Group, str]], limit_s: float) -> Iterator[Outcome]:
    """Run all checks of some subjects in another process; after a crash or a timeout, continue in a new process.

    Args:
        subjects: the subjects that `find_subjects` returned.
        limit_s: time limit of a check, in seconds.

    Yields:
        the outcome of each check, in order.
    """
    child = Child(subjects)
    try:
        for place, check in enumerate(checks_of(subjects)):
            yield child.run(place, check, limit_s)
    finally:
        child.close()


class Child:
    """The other process, which starts when it is first needed.

    Args:
        subjects: the subjects that `find_subjects` returned.
    """

    def __init__(self, subjects: Sequence[tuple[Group, str]]) -> None:
        self._arguments = [f"{group.value}={name}" for group, name in subjects]
        self._process: Process | None = None

    def run(self, place: int, check: Check, limit_s: float) -> Outcome:
        """Run the check at a position among the checks of all subjects."""
        if self._process is None:
            self._process = Process(check.subject, __name__, self._arguments)
        late, begin = threading.Event(), time.perf_counter()
        timer = threading.Timer(limit_s, _end, (self._process, late))
        timer.daemon = True
        timer.start()
        try:
            reply, _ = self._process.ask({"do": "run", "place": place})
        except DiedError as error:
            self.close()
            reason = f"it did not finish within {limit_s:g} s" if late.is_set() else str(error)
            state: State = "declared" if check.expected else "failed"
            seconds = time.perf_counter() - begin
            return Outcome(check.id, check.subject, state, seconds, check.expected or reason, check.protects, check.fix)
        finally:
            timer.cancel()
        return Outcome(**reply["outcome"])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None


def _end(process: Process, late: threading.Event) -> None:
    late.set()
    process.kill()


def _serve(arguments: Sequence[str]) -> None:
    """Serve in the other process: build the same checks, and run those that the parent names."""
    checks: list[Check] = []

    def run(header: dict[str, Any], arrays: object, waveforms: object) -> tuple[dict[str, Any], list[Any]]:
        if not checks:
            subjects = [argument.partition("=") for argument in arguments]
            checks.extend(checks_of((Group(group), name) for group, _, name in subjects))
        return {"outcome": run_check(checks[header["place"]]).as_json()}, []

    answer({"run": run})


if __name__ == "__main__":
    import sys

    _serve(sys.argv[1:])
