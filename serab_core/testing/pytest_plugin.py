"""The pytest plugin: `--serab-plugin NAME` runs checks as tests; `--serab-bench NAME` and a fixture measure speed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serab_core.bench.measure import Figure
    from serab_core.testing.checks import Check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("serab")
    group.addoption(
        "--serab-plugin",
        action="append",
        default=[],
        metavar="NAME",
        help="run the checks of a serab extractor, dataset, classifier or distribution; can be repeated",
    )
    group.addoption(
        "--serab-bench",
        action="append",
        default=[],
        metavar="NAME",
        help="measure the speed of a serab extractor relative to a reference workload; can be repeated",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each check; if the command line names no tests, run only these."""
    names, timed = config.getoption("--serab-plugin"), config.getoption("--serab-bench")
    if not names and not timed:
        return
    if not any(str(word) in config.invocation_params.args for word in config.args):
        items.clear()  # pytest collected them from the current folder by default
    for name in names:
        items.extend(Checks.from_parent(session, name=f"serab[{name}]", subject=name).collect())
    if timed:
        items.extend(session.genitems(pytest.Module.from_parent(session, path=Path(__file__).with_name("speed.py"))))


class SpeedTest(Protocol):
    """The type of the fixture `serab_benchmark`."""

    def __call__(self, extractor: str, *, seconds: float = 3.0, clips: int = 1, rounds: int = 15) -> Figure:
        """Measure the speed of an extractor.

        Args:
            extractor: name of the extractor.
            seconds: length of a clip.
            clips: number of clips in a round; 0 for the batch size of the extractor.
            rounds: number of rounds, each with the reference workload before it.

        Returns:
            times, real-time factor, and the ratio: the cost of a second of audio in runs of the reference workload.
        """


@pytest.fixture
def serab_benchmark(request: pytest.FixtureRequest) -> SpeedTest:
    """Measure extractors with pytest-benchmark, on the clips of serab, relative to its reference workload.

    A test can assert a limit on `serab_benchmark("my-model", seconds=3.0).ratio`, which is comparable between machines.
    pytest-benchmark provides tables, files and comparisons.
    """
    try:
        benchmark: Any = request.getfixturevalue("benchmark")
    except pytest.FixtureLookupError:
        raise UsageError(
            "needs pytest-benchmark, which is not installed or is disabled",
            where="serab_benchmark",
            next_step="pip install pytest-benchmark",
        ) from None

    def run(extractor: str, *, seconds: float = 3.0, clips: int = 1, rounds: int = 15) -> Figure:
        from serab_core.bench.rounds import Rounds

        extractor_rounds = Rounds(extractor, seconds, clips)
        benchmark.pedantic(extractor_rounds.call, setup=extractor_rounds.setup, rounds=rounds, iterations=1)
        figure = extractor_rounds.figure
        benchmark.extra_info.update(
            extractor=extractor, clip_s=seconds, clips=figure.clips, ratio=figure.ratio,
            realtime_factor=figure.realtime_factor,
        )  # fmt: skip
        return figure

    return run


class Checks(pytest.Collector):
    """The checks of one plugin."""

    def __init__(self, *, subject: str, **named: object) -> None:
        super().__init__(**named)  # type: ignore[arg-type]
        self._subject = subject

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each check."""
        from serab_core.testing.runner import checks_of, find_subjects

        for group, name in find_subjects(self._subject):
            for check in checks_of([(group, name)]):
                yield CheckItem.from_parent(self, name=f"{check.id}[{name}]", check=check)


class CheckItem(pytest.Item):
    """A check as a test; one that is declared to fail is an expected failure."""

    def __init__(self, *, check: Check, **named: object) -> None:
        super().__init__(**named)  # type: ignore[arg-type]
        self._check = check

    def runtest(self) -> None:
        """Run the check."""
        from serab_core.testing.checks import NOT_APPLICABLE

        if report := self._check():
            self.add_report_section("call", "serab", report)
        if report.startswith(NOT_APPLICABLE):
            pytest.skip(report)
        if self._check.expected:
            pytest.xfail(self._check.expected)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Return the failure, the reason for the check, and the advice."""
        from serab_core.testing.checks import ConformanceError

        if isinstance(excinfo.value, ConformanceError):
            return str(excinfo.value)
        excinfo.traceback = excinfo.traceback.cut(path=Path(__file__))  # without pytest's own frames
        return f"{super().repr_failure(excinfo)}\n  why: {self._check.protects}\n  fix: {self._check.fix}"

    def reportinfo(self) -> tuple[str, None, str]:
        """Return the location that pytest shows."""
        return "serab check", None, self.name
