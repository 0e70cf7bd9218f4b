"""The class of a check. Generators yield checks; the code that runs them decides what to do with a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class ConformanceError(AssertionError):
    """A plugin fails a check.

    Checks raise this error instead of using the `assert` statement, which Python skips under `-O` and PYTHONOPTIMIZE;
    every check would then pass.
    """


NOT_APPLICABLE = "not applicable: "
"""The beginning of the report of a check that does not apply to the plugin."""


_STARTS_PROCESSES = frozenset(
    f"extractor-{name}"
    for name in ("long", "fingerprint", "light-import", "other-process", "missing-weights", "damaged-weights")
)


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of one plugin.

    Attributes:
        id: stable identifier, such as `extractor-finite`.
        subject: the name under test.
        protects: a sentence on the harm to users if the check fails.
        fix: advice to the author of the plugin.
        function: raises ConformanceError if the plugin fails the check; it may return a report.
        expected: the reason for a known failure, from `expected_failures` of the spec; "" for none.
    """

    id: str
    subject: str
    protects: str
    fix: str
    function: Callable[[], str | None]
    expected: str = ""

    @property
    def starts_processes(self) -> bool:
        """Whether the check starts processes that import the libraries of the plugin, which takes long."""
        return self.id in _STARTS_PROCESSES

    def __call__(self) -> str:
        """Run the check. A check that is declared to fail must fail, so that the declaration is deleted when it passes.

        Returns:
            the report; "" for most checks.

        Raises:
            ConformanceError: the plugin fails the check; the message ends with the reason and the advice. Or the plugin
                passes a check that its spec declares to fail.
        """
        try:
            report = self.function()
        except AssertionError as error:
            if self.expected:
                return self.expected
            reason = str(error) if isinstance(error, ConformanceError) else f"AssertionError: {error}"
            raise ConformanceError(
                f"{self.subject} fails {self.id}: {reason}\n  why: {self.protects}\n  fix: {self.fix}"
            ) from error
        if self.expected:
            raise ConformanceError(
                f"{self.subject} passes {self.id}, which expected_failures of its spec names: delete it there"
            )
        return report or ""

    def __str__(self) -> str:
        return self.id


class Rationale(NamedTuple):
    """The reason for a check, and the advice to an author whose plugin fails it."""

    protects: str
    fix: str


def checker(
    kind: str, subject: str, rationales: Mapping[str, Rationale], expected: Mapping[str, str]
) -> Callable[[str, Callable[[], str | None]], Check]:
    """Return a function `make(name, function)` that builds checks of one plugin.

    Args:
        kind: `extractor`, `dataset` or `classifier`; the prefix of check ids.
        subject: the name under test.
        rationales: rationales by the name of the check.
        expected: reasons for known failures by check id.
    """

    def make(name: str, function: Callable[[], str | None]) -> Check:
        identifier = f"{kind}-{name}"
        return Check(identifier, subject, *rationales[name], function, expected.get(identifier, ""))

    return make
