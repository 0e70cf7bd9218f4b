"""What `pytest --serab-bench NAME` runs: an extractor's speed by the length of a clip, and of a batch.

Not collected otherwise: the file is not called test_*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.testing.checks import ConformanceError

if TYPE_CHECKING:
    import pytest

    from serab_core.testing.pytest_plugin import SpeedTest

CASES = ((1.0, 1), (3.0, 1), (10.0, 1), (3.0, 0))
"""Seconds of a clip, and clips at a time; 0 for as many as the extractor likes."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A case for each extractor that was named, and each length."""
    names = metafunc.config.getoption("--serab-bench")
    cases = [(name, seconds, clips) for name in names for seconds, clips in CASES]
    ids = [f"{name}-{seconds:g}s" + ("" if clips else "-batch") for name, seconds, clips in cases]
    metafunc.parametrize(("name", "seconds", "clips"), cases, ids=ids)


def test_speed(serab_benchmark: SpeedTest, name: str, seconds: float, clips: int) -> None:
    """Time it; what it came to is in pytest-benchmark's table."""
    figure = serab_benchmark(name, seconds=seconds, clips=clips)
    if not figure.ratio > 0.0:
        raise ConformanceError(f"the speed of {name} is no positive number: {figure.ratio}")
