"""How much of it: little in a test run, all of it in `tox run -e faults`."""

from __future__ import annotations

import os

import pytest

pytest.register_assert_rewrite("tests.faults.world")


def amount(name: str, default: int) -> int:
    return int(os.environ.get(f"SERAB_{name}", default))


@pytest.fixture(scope="session")
def report_fault(request):
    """Adds a line of figures to the end of the report: `report_fault("kills", injected=200, lost=0)`."""
    lines = request.config.stash.setdefault(LINES, [])

    def add(what: str, **figures: object) -> None:
        lines.append(f"{what}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))

    return add


LINES = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter):
    lines = terminalreporter.config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
