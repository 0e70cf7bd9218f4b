"""Running checks, and their outcomes; other modules display them."""

from __future__ import annotations

import time
import traceback
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name

from serab_core import plugins
from serab_core.errors import SerabError, UnknownNameError, UsageError
from serab_core.plugins.entry_points import Group
from serab_core.testing.checks import NOT_APPLICABLE, Check, ConformanceError
from serab_core.testing.classifiers import classifier_checks
from serab_core.testing.datasets import dataset_checks
from serab_core.testing.extractors import extractor_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from serab_core.plugins.entry_points import PluginRecord


State = Literal["passed", "failed", "declared", "not applicable"]
_GENERATORS: dict[Group, Callable[[str], list[Check]]] = {
    Group.EXTRACTORS: extractor_checks,
    Group.DATASETS: dataset_checks,
    Group.CLASSIFIERS: classifier_checks,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one check.

    Attributes:
        id: id of the check.
        subject: the name under test.
        state: `passed`; `failed`; `declared`, if it fails as the spec of the plugin declares; or `not applicable`.
        seconds: time of the check.
        message: the failure, the declared reason, or the report of the check; "" for most checks.
        protects, fix: the rationale of the check.
    """

    id: str
    subject: str
    state: State
    seconds: float
    message: str
    protects: str
    fix: str

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return asdict(self)


def find_subjects(name: str) -> list[tuple[Group, str]]:
    """Return all subjects of checks with a name, or all that a distribution provides.

    Args:
        name: name of an extractor, dataset or classifier, in the syntax of `serab eval`: with a distribution, a
            variant, an argument or options, or the path of a folder; or the name of a distribution.

    Returns:
        the plugin group and the name of each subject.

    Raises:
        UnknownNameError: the name is unknown.
        PluginError: the plugin fails.
        UsageError: the distribution provides nothing that can be checked without an argument.
    """
    registry, distribution = plugins.registry(), canonicalize_name(name)
    records = [r for group in _GENERATORS for r in registry.records(group) if r.distribution == distribution]
    if records:
        return _subjects_of(records)
    subjects: list[tuple[Group, str]] = []
    missing: list[UnknownNameError] = []
    for group, find in (
        (Group.EXTRACTORS, plugins.extractor),
        (Group.DATASETS, plugins.dataset),
        (Group.CLASSIFIERS, plugins.classifier),
    ):
        try:
            spec = find(name)
            subjects.append((group, name if ":" in name or plugins.is_path(name) else spec.name))
        except UnknownNameError as error:
            missing.append(error)
    if not subjects:
        raise missing[0]
    return subjects


def _subjects_of(records: Sequence[PluginRecord]) -> list[tuple[Group, str]]:
    """Return everything that the plugins of a distribution register."""
    registry, subjects = plugins.registry(), []
    for record in records:
        loaded = registry.load(record.group, record.qualified)
        subjects += [(record.group, item) for item in loaded.items]
    if not subjects:
        examples = " or ".join(f"{record.name}:..." for record in records)
        raise UsageError(
            "has no extractor, dataset or classifier without an argument",
            where=records[0].distribution,
            next_step=f"name one with its argument: {examples}",
        )
    return subjects


def checks_of(subjects: Iterable[tuple[Group, str]]) -> list[Check]:
    """Return all checks of some subjects."""
    return [check for group, name in subjects for check in _GENERATORS[group](name)]


def run_check(check: Check) -> Outcome:
    """Run one check; every error that the plugin raises is a failure of the check."""
    begin = time.perf_counter()
    state: State = "declared" if check.expected else "passed"
    message = ""
    try:
        message = check()
        if message.startswith(NOT_APPLICABLE):
            state, message = "not applicable", message.removeprefix(NOT_APPLICABLE)
    except ConformanceError as error:
        cause = error.__cause__ or error
        state, message = "failed", str(cause) if isinstance(cause, ConformanceError) else _described(cause)
    except SerabError as error:
        state, message = "failed", str(error)
    except (Exception, SystemExit) as error:  # third-party code
        state, message = "failed", _described(error)
    seconds = time.perf_counter() - begin
    return Outcome(check.id, check.subject, state, seconds, message, check.protects, check.fix)


def _described(error: BaseException) -> str:
    """Return the error that a plugin raised, with file and line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
