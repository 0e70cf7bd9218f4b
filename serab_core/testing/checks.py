"""What a check is. The generators make them, whoever runs them decides what to do with a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of one plugin.

    Attributes:
        id: stable, such as `extractor-finite`.
        subject: the name under test.
        protects: one sentence on what goes wrong for users when it fails.
        fix: what the author can do.
        function: raises AssertionError when the plugin fails it.
    """

    id: str
    subject: str
    protects: str
    fix: str
    function: Callable[[], None]

    def __call__(self) -> None:
        """Runs the check.

        Raises:
            AssertionError: the plugin fails it; the message ends with why it matters and how to mend it.
        """
        try:
            self.function()
        except AssertionError as error:
            raise AssertionError(
                f"{self.subject} fails {self.id}: {error}\n  why: {self.protects}\n  fix: {self.fix}"
            ) from error

    def __str__(self) -> str:
        return self.id


def checker(kind: str, subject: str, protects: Mapping[str, str]) -> Callable[[str, Callable[[], None], str], Check]:
    """A maker of checks for one plugin: `make(name, function, fix)`, with what each protects looked up by its name."""

    def make(name: str, function: Callable[[], None], fix: str) -> Check:
        return Check(f"{kind}-{name}", subject, protects[name], fix, function)

    return make
