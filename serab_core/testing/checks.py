"""The class of a check. Generators yield checks; the code that runs them decides what to do with a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

_Method = TypeVar("_Method", bound=Callable[..., Any])


class ConformanceError(AssertionError):
    """A plugin fails a check.

    Checks raise this error instead of using the `assert` statement, which Python skips under `-O` and PYTHONOPTIMIZE;
    every check would then pass.
    """


NOT_APPLICABLE = "not applicable: "
"""The beginning of the report of a check that does not apply to the plugin."""


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
        starts_processes: whether it starts processes that import the libraries of the plugin, which takes long.
    """

    id: str
    subject: str
    protects: str
    fix: str
    function: Callable[[], str | None]
    expected: str = ""
    starts_processes: bool = False

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
    """What a method of a suite checks.

    Attributes:
        name: the name of the check without the kind of plugin.
        protects, fix, starts_processes: as `Check` has them.
    """

    name: str
    protects: str
    fix: str
    starts_processes: bool


def check(name: str, *, protects: str, fix: str, starts_processes: bool = False) -> Callable[[_Method], _Method]:
    """Make a method of a `CheckSuite` a check.

    Args:
        name: the name without the kind of plugin, such as `finite`.
        protects: a sentence on the harm to users if the check fails.
        fix: advice to the author of the plugin.
        starts_processes: whether the check starts processes that import the libraries of the plugin.
    """

    def decorate(method: _Method) -> _Method:
        method.rationale = Rationale(name, protects, fix, starts_processes)  # type: ignore[attr-defined]
        return method

    return decorate


class CheckSuite:
    """The checks of one kind of plugin: the methods with the decorator `check`, in the order of their definition.

    Args:
        subject: the name under test.
        expected: reasons for known failures by check id.
    """

    kind: ClassVar[str]

    def __init__(self, subject: str, expected: Mapping[str, str]) -> None:
        self.subject, self._expected = subject, expected

    @classmethod
    def rationales(cls) -> dict[str, Rationale]:
        """Return the rationale of each check by the name of its method."""
        methods = {name: getattr(value, "rationale", None) for name, value in vars(cls).items()}
        return {name: rationale for name, rationale in methods.items() if rationale is not None}

    def checks(self) -> list[Check]:
        """Return the checks, bound to the plugin."""
        checks = []
        for method, rationale in self.rationales().items():
            identifier = f"{self.kind}-{rationale.name}"
            checks.append(
                Check(
                    identifier,
                    self.subject,
                    rationale.protects,
                    rationale.fix,
                    getattr(self, method),
                    self._expected.get(identifier, ""),
                    rationale.starts_processes,
                )
            )
        return checks
