"""The hooks between serab and its plugins, hook API version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

if TYPE_CHECKING:
    import typer

    from serab_core.types import ClassifierSpec, DatasetSpec, ExtractorSpec, Run, TaskResult

hookspec = pluggy.HookspecMarker("serab")
hookimpl = pluggy.HookimplMarker("serab")

_Spec = TypeVar("_Spec", contravariant=True)


class Register(Protocol[_Spec]):
    """The `register` argument: `register(spec)`, or `register(spec, default=True)` for the spec of the bare name."""

    def __call__(self, item: _Spec, /, *, default: bool = False) -> None:
        """Register a spec under its name."""


@hookspec
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Call `register` with each extractor of the plugin."""


@hookspec(firstresult=True)
def serab_make_extractor(argument: str) -> ExtractorSpec | None:
    """Return the extractor for `entry:argument`, or for a folder that names this entry point."""


@hookspec
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Call `register` with each dataset of the plugin."""


@hookspec
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Call `register` with each classifier of the plugin."""


@hookspec
def serab_register_commands(app: typer.Typer) -> None:
    """Add a command, or a group of commands, with the name of the entry point to `app`."""


@hookspec
def serab_run_started(run: Run) -> None:
    """Notify a tracker that a run begins, with its plan and without results."""


@hookspec
def serab_task_scored(result: TaskResult) -> None:
    """Notify a tracker of the score of an extractor on a task, computed now or reused."""


@hookspec
def serab_run_finished(run: Run) -> None:
    """Notify a tracker that a run has ended, with its results and failures."""
