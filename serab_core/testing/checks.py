"""What a check is. The generators make them, whoever runs them decides what to do with a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class ConformanceError(AssertionError):
    """The verdict of a check that a plugin fails.

    Checks raise it and use no `assert` statement: Python leaves those out under `-O` and PYTHONOPTIMIZE, and every
    check would pass.
    """


NOT_APPLICABLE = "not applicable: "
"""How the report of a check begins that has nothing to check in this plugin."""


_STARTS_PROCESSES = frozenset(
    f"extractor-{name}"
    for name in ("long", "fingerprint", "light-import", "other-process", "missing-weights", "damaged-weights")
)


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of one plugin.

    Attributes:
        id: stable, such as `extractor-finite`.
        subject: the name under test.
        protects: one sentence on what goes wrong for users when it fails.
        fix: what the author can do.
        function: raises ConformanceError when the plugin fails it; what it returns, if anything, is reported.
        expected: why the plugin is known to fail it, by its spec's `expected_failures`.
    """

    id: str
    subject: str
    protects: str
    fix: str
    function: Callable[[], str | None]
    expected: str = ""

    @property
    def starts_processes(self) -> bool:
        """Whether it runs the plugin in other processes, each of which imports its libraries: it takes longest."""
        return self.id in _STARTS_PROCESSES

    def __call__(self) -> str:
        """Run the check. One that is declared to fail must fail, so that a declaration cannot outlive its reason.

        Returns:
            what it reports; "" for most.

        Raises:
            ConformanceError: the plugin fails it; the message ends with why it matters and how to mend it. Or it passes
                a check that its spec declares to fail.
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
                f"{self.subject} passes {self.id}, which its expected_failures names: delete it there"
            )
        return report or ""

    def __str__(self) -> str:
        return self.id


class Rationale(NamedTuple):
    """What a check protects, and what an author can do about it."""

    protects: str
    fix: str


def checker(
    kind: str, subject: str, rationales: Mapping[str, Rationale], expected: Mapping[str, str]
) -> Callable[[str, Callable[[], str | None]], Check]:
    """A maker of checks for one plugin: `make(name, function)`, with the rest looked up by the check's name."""

    def make(name: str, function: Callable[[], str | None]) -> Check:
        identifier = f"{kind}-{name}"
        return Check(identifier, subject, *rationales[name], function, expected.get(identifier, ""))

    return make
