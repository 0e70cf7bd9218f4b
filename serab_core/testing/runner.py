"""Runs checks and says what came of each; how it is shown is somebody else's."""

from __future__ import annotations

import time
import traceback
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from serab_registry import Group

from serab_core import plugins
from serab_core.errors import SerabError, UnknownNameError
from serab_core.testing.checks import Check, ConformanceError
from serab_core.testing.classifiers import classifier_checks
from serab_core.testing.datasets import dataset_checks
from serab_core.testing.extractors import extractor_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from serab_registry import PluginRecord


State = Literal["passed", "failed", "declared"]
_GENERATORS: dict[Group, Callable[[str], list[Check]]] = {
    Group.EXTRACTORS: extractor_checks,
    Group.DATASETS: dataset_checks,
    Group.CLASSIFIERS: classifier_checks,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check.

    Attributes:
        id: of the check.
        subject: the name under test.
        state: `passed`; `failed`; or `declared`, where it fails as the plugin's spec says.
        seconds: that it took.
        message: what failed, the declared reason, or what the check reports; "" for most.
        protects, fix: of the check.
    """

    id: str
    subject: str
    state: State
    seconds: float
    message: str
    protects: str
    fix: str

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def subjects(name: str) -> list[tuple[Group, str]]:
    """What a word on the command line means: everything of that name, or everything that a distribution brings.

    Args:
        name: of an extractor, dataset or classifier, as commands take it; or of a distribution.

    Raises:
        UnknownNameError: nothing is called that.
        PluginError: its plugin fails.
    """
    registry = plugins.registry()
    owned = [r for group in _GENERATORS for r in registry.records(group) if r.distribution == name.lower()]
    if owned:
        return [(record.group, item) for record in owned for item in _items(record)]
    found: list[tuple[Group, str]] = []
    missing: list[UnknownNameError] = []
    for group, find in (
        (Group.EXTRACTORS, plugins.extractor),
        (Group.DATASETS, plugins.dataset),
        (Group.CLASSIFIERS, plugins.classifier),
    ):
        try:
            found.append((group, find(name).name if ":" not in name else name))
        except UnknownNameError as error:
            missing.append(error)
    if not found:
        raise missing[0]
    return found


def _items(record: PluginRecord) -> tuple[str, ...]:
    return tuple(plugins.translated(lambda: plugins.registry().load(record.group, record.qualified)).items)


def checks_of(found: Iterable[tuple[Group, str]]) -> list[Check]:
    """All checks of some subjects."""
    return [check for group, name in found for check in _GENERATORS[group](name)]


def run_check(check: Check) -> Outcome:
    """Runs one check; whatever the plugin raises is a failure of it."""
    begin = time.perf_counter()
    state: State = "declared" if check.expected else "passed"
    message = ""
    try:
        message = check()
    except ConformanceError as error:
        cause = error.__cause__ or error
        state, message = "failed", str(cause) if isinstance(cause, ConformanceError) else _described(cause)
    except SerabError as error:
        state, message = "failed", str(error)
    except (Exception, SystemExit) as error:  # a stranger's code
        state, message = "failed", _described(error)
    seconds = time.perf_counter() - begin
    return Outcome(check.id, check.subject, state, seconds, message, check.protects, check.fix)


def _described(error: BaseException) -> str:
    """What a plugin's code raised, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
