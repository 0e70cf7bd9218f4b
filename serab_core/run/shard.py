"""`--shard i/n`: one of n run shards, for job arrays of clusters."""

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
class RunShard:
    """Run shard `number` of `of`, counted from 1."""

    number: int = 1
    of: int = 1

    def select(self, items: Sequence[_T]) -> list[_T]:
        """Return every `of`th item, so that extractors and tasks are mixed."""
        return list(items[self.number - 1 :: self.of])

    @property
    def is_whole(self) -> bool:
        """Whether the shard is the whole run."""
        return self.of == 1


def parse_run_shard(text: str | None) -> RunShard:
    """Return the shard that a text such as `2/8` names; the whole run for None. Raises UsageError."""
    if text is None:
        return RunShard()
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(
            f"{text!r} is not a run shard", next_step="write 1/8 for the first of eight run shards, up to 8/8"
        )
    return RunShard(int(match[1]), int(match[2]))
