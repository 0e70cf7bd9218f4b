"""All errors of serab, in one tree of classes. Each class has its exit code.

    SerabError                 1
    ├── UsageError             2   the command line or the arguments are not valid together
    ├── UnknownNameError       3   no extractor, task, classifier or protocol has this name
    ├── PluginError            4   a plugin failed to load, conflicts with another or is disabled
    ├── DataError              5   a source is not the expected corpus, or is incomplete
    │   ├── AudioError         5   an audio file cannot be used
    │   ├── PointerError       5   a pointer of git-lfs or git-annex stands in place of a file
    │   └── NotPreparedError   5   the task's corpus has not been prepared
    ├── StoreError             6   $SERAB_HOME, or standard output, cannot be read or written
    │   └── ContentError       6   a file in it can be read, but its content is damaged or of another version
    ├── ExtractorError         7   an extractor raised an error, or its embeddings are not as declared
    ├── TuningError            8   no classifier could be fitted
    ├── JobsFailedError        9   some jobs failed; the results of the others are stored
    ├── WeightsError          10   weights are missing or wrong, or their terms were not accepted
    ├── CheckFailedError      11   a plugin fails a conformance check
    ├── ConfigError           12   serab.toml, or a variable of the environment, has an invalid value
    ├── WorkerError           13   a worker process died repeatedly, or stopped responding
    ├── OfflineError          14   code tried to use the network in offline mode
    ├── RepeatError           15   a result could not be reproduced
    └── InterruptedRunError  130   Ctrl-C; finished work is stored

A message has three parts: what is wrong, in which file, plugin or name, and what to do next.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class SerabError(Exception):
    """Base of serab's errors.

    Args:
        what: the problem, a sentence without a full stop.
        where: the file, plugin or name with the problem.
        next_step: what the user can do, a sentence without a full stop.
        suggestions: names that the user may have meant, the most similar first.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        next_step: str | None = None,
        suggestions: Sequence[str] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.next_step = next_step
        self.suggestions = tuple(suggestions)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors are pickled between processes; the default would lose the keyword arguments.
        return _rebuild, (type(self), self.what, self.where, self.next_step, self.suggestions)

    def __str__(self) -> str:
        sentences = [f"{self.what}." if self.where is None else f"{self.where}: {self.what}."]
        if self.suggestions:
            sentences.append(did_you_mean(self.suggestions))
        if self.next_step:
            sentences.append(f"Next: {self.next_step}.")
        return " ".join(sentences)

    def as_json(self) -> dict[str, object]:
        """Return the error as plain values for JSON."""
        return {
            "schema": "serab.error/1",
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "next_step": self.next_step,
            "suggestions": list(self.suggestions),
            "exit_code": self.exit_code,
        }


class UsageError(SerabError):
    """The command line or the arguments are not valid together."""

    exit_code = 2


class UnknownNameError(SerabError):
    """No extractor, task, classifier or protocol has this name."""

    exit_code = 3


class PluginError(SerabError):
    """A plugin failed to load, conflicts with another plugin, or is disabled."""

    exit_code = 4


class DataError(SerabError):
    """A source is not the expected corpus, or is incomplete."""

    exit_code = 5


class AudioError(DataError):
    """An audio file cannot be used: it is unreadable or empty, or has samples that are not numbers."""


class PointerError(DataError):
    """A pointer of git-lfs or git-annex stands in place of a file; the next step gets the file."""


class NotPreparedError(DataError):
    """The task's corpus has not been prepared on this machine."""


class StoreError(SerabError):
    """`$SERAB_HOME`, or standard output, cannot be read or written."""

    exit_code = 6


class ContentError(StoreError):
    """A file of `$SERAB_HOME` can be read, but its content is damaged or of another version."""


class ExtractorError(SerabError):
    """An extractor raised an error, or its embeddings are not as declared."""

    exit_code = 7


class TuningError(SerabError):
    """No classifier could be fitted."""

    exit_code = 8


class JobsFailedError(SerabError):
    """Some jobs failed; the results of the others are stored."""

    exit_code = 9


class WeightsError(SerabError):
    """Weights are missing or wrong, or their terms were not accepted."""

    exit_code = 10


class CheckFailedError(SerabError):
    """A plugin fails a conformance check."""

    exit_code = 11


class ConfigError(SerabError):
    """`serab.toml`, or a variable of the environment, has an invalid value."""

    exit_code = 12


class WorkerError(SerabError):
    """A worker process died repeatedly, or stopped responding."""

    exit_code = 13


class OfflineError(SerabError):
    """Code tried to use the network in offline mode."""

    exit_code = 14


class RepeatError(SerabError):
    """A result could not be reproduced."""

    exit_code = 15


class InterruptedRunError(SerabError):
    """The user pressed Ctrl-C; finished work is stored."""

    exit_code = 130


_SHOWN = 40  # characters of a name in a message


def unforeseen(error: BaseException) -> SerabError:
    """Return an unexpected error as a SerabError, with the next step for the user."""
    reason = " ".join(str(error).split())
    if isinstance(error, FileNotFoundError) and not _has_working_folder():
        return UsageError(
            f"the working folder is deleted, and a function needs it ({reason})",
            next_step="change to a folder that exists, and run the same command again",
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = os.path.basename(str(error.filename or ""))  # noqa: PTH119  pathlib would be imported for this alone
        shown = f" ({name[:_SHOWN]}..., {len(name)} characters)" if len(name) > _SHOWN else ""
        return UsageError(
            f"a name is longer than the file system allows{shown}",
            next_step="check the names and paths of your command, and shorten them",
        )
    return SerabError(
        f"{type(error).__name__}: {reason}" if reason else type(error).__name__,
        next_step="this is a bug in serab or in a plugin: please report it with its traceback",
    )


def _has_working_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109  pathlib would be imported for this alone
    except OSError:
        return False
    return True


def did_you_mean(names: Sequence[str]) -> str:
    """Return a question that suggests names, such as "Did you mean 'toy' or 'tones'?"; "" without names."""
    quoted = [repr(name) for name in names]
    return f"Did you mean {' or '.join(filter(None, [', '.join(quoted[:-1]), *quoted[-1:]]))}?" if quoted else ""


def _rebuild(
    kind: type[SerabError], what: str, where: str | None, next_step: str | None, suggestions: tuple[str, ...]
) -> SerabError:
    return kind(what, where=where, next_step=next_step, suggestions=suggestions)


def from_json(document: Mapping[str, Any]) -> SerabError:
    """Return the error that `as_json` described; an error of an unknown class becomes a SerabError."""
    kinds, matching = [SerabError], SerabError
    for kind in kinds:
        kinds += kind.__subclasses__()
        matching = kind if kind.__name__ == document["error"] else matching
    return matching(
        document["what"],
        where=document["where"],
        next_step=document["next_step"],
        suggestions=document.get("suggestions", ()),
    )


_ELSEWHERE = "choose another folder (SERAB_HOME sets the home)"
_NEXT_BY_ERRNO = {
    errno.ENOSPC: f"free some space there, or {_ELSEWHERE}, and run the same command again",
    errno.EDQUOT: f"free some of your quota, or {_ELSEWHERE}, and run the same command again",
    errno.EACCES: f"change its permissions, or {_ELSEWHERE}",
    errno.EPERM: f"change its permissions, or {_ELSEWHERE}",
    errno.EROFS: f"it is on a read-only file system: {_ELSEWHERE}",
    errno.ENOENT: f"check the path, or {_ELSEWHERE}",
    errno.EISDIR: "a folder stands where a file is needed: check the path",
    errno.ENOTDIR: f"a file stands where a folder is needed: move it, or {_ELSEWHERE}",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: "the disk reports a fault: check it, then run the same command again",
}


def store_error(error: OSError, path: str | Path, doing: str = "written") -> StoreError:
    """Return an operating-system error about a file of serab as a StoreError.

    Args:
        error: the error.
        path: the file or folder.
        doing: the failed operation, as in "cannot be written".
    """
    reason = (error.strerror or type(error).__name__).lower()
    step = _NEXT_BY_ERRNO.get(error.errno or 0, "check the folder, then run the same command again")
    return StoreError(f"cannot be {doing} ({reason})", where=path, next_step=step)
