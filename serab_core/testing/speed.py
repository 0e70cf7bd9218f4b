"""The tests of `pytest --serab-bench NAME`: the speed of an extractor by clip length, and for a batch.

Other runs do not collect this file, because its name does not begin with test_.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.testing.checks import ConformanceError

if TYPE_CHECKING:
    import pytest

    from serab_core.testing.pytest_plugin import SpeedTest

CASES = ((1.0, 1), (3.0, 1), (10.0, 1), (3.0, 0))
"""Length of a clip in seconds, and number of clips; 0 for the batch size of the extractor."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Add a case for each named extractor and each entry of `CASES`."""
    names = metafunc.config.getoption("--serab-bench")
    cases = [(name, seconds, clips) for name in names for seconds, clips in CASES]
    ids = [f"{name}-{seconds:g}s" + ("" if clips else "-batch") for name, seconds, clips in cases]
    metafunc.parametrize(("name", "seconds", "clips"), cases, ids=ids)


def test_speed(serab_benchmark: SpeedTest, name: str, seconds: float, clips: int) -> None:
    """Measure an extractor; the table of pytest-benchmark shows the result."""
    figure = serab_benchmark(name, seconds=seconds, clips=clips)
    if not figure.ratio > 0.0:
        raise ConformanceError(f"the ratio of {name} is not a positive number: {figure.ratio}")
