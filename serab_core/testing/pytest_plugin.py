"""`pytest --serab-plugin NAME`: a test for each check of a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serab_core.testing.checks import Check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.getgroup("serab").addoption(
        "--serab-plugin",
        action="append",
        default=[],
        metavar="NAME",
        help="check an extractor, dataset, classifier or distribution of serab's; may be repeated",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds a test for each check, and takes no others where nothing else was asked for."""
    names = config.getoption("--serab-plugin")
    if not names:
        return
    if not any(str(word) in config.invocation_params.args for word in config.args):
        items.clear()  # pytest found them by itself, in the current folder
    for name in names:
        items.extend(Checks.from_parent(session, name=f"serab[{name}]", subject=name).collect())


class Checks(pytest.Collector):
    """The checks of one plugin."""

    def __init__(self, *, subject: str, **named: object) -> None:
        super().__init__(**named)  # type: ignore[arg-type]
        self._subject = subject

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each check."""
        from serab_core.testing.runner import checks_of, subjects

        for group, name in subjects(self._subject):
            for check in checks_of([(group, name)]):
                yield CheckItem.from_parent(self, name=f"{check.id}[{name}]", check=check)


class CheckItem(pytest.Item):
    """A check as a test; one that is declared to fail is an expected failure."""

    def __init__(self, *, check: Check, **named: object) -> None:
        super().__init__(**named)  # type: ignore[arg-type]
        self._check = check

    def runtest(self) -> None:
        """Runs it."""
        if report := self._check():
            self.add_report_section("call", "serab", report)
        if self._check.expected:
            pytest.xfail(self._check.expected)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """What failed, why it matters and how to mend it."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[str, None, str]:
        """Where it is."""
        return "serab check", None, self.name
