"""`--shard i/n`: one of n shares of a run, for job arrays of clusters that know nothing of serab."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    _T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Share:
    """The `number`th of `of` shares, from 1 on."""

    number: int = 1
    of: int = 1

    def taken(self, everything: Sequence[_T]) -> list[_T]:
        """Every `of`th, so that extractors and tasks are mixed."""
        return list(everything[self.number - 1 :: self.of])

    @property
    def whole(self) -> bool:
        """Whether it is all there is."""
        return self.of == 1


def parse_share(words: str | None) -> Share:
    """What `2/8` says. Raises UsageError."""
    if words is None:
        return Share()
    match = re.fullmatch(r"(\d+)/(\d+)", words.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard {words} is no share", next_step="write 1/8 for the first of eight, up to 8/8")
    return Share(int(match[1]), int(match[2]))
