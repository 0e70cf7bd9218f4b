"""The contract between serab and its plugins, hook API version 1. One paragraph a hook, one sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

if TYPE_CHECKING:
    import typer

    from serab_core.types import ClassifierSpec, ContinuousResult, DatasetSpec, ExtractorSpec, Run, TaskResult

hookspec = pluggy.HookspecMarker("serab")
hookimpl = pluggy.HookimplMarker("serab")

_Spec = TypeVar("_Spec", contravariant=True)


class Register(Protocol[_Spec]):
    """The `register` argument: `register(spec)`, or `register(spec, default=True)` for what the bare name means."""

    def __call__(self, item: _Spec, /, *, default: bool = False) -> None:
        """Registers one spec under its name."""


@hookspec
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Hands each extractor of the plugin to `register`."""


@hookspec(firstresult=True)
def serab_make_extractor(argument: str) -> ExtractorSpec | None:
    """Makes the extractor that `entry:argument` names, or whose folder says that it is the entry point's."""


@hookspec
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Hands each dataset of the plugin to `register`."""


@hookspec
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Hands each classifier of the plugin to `register`."""


@hookspec
def serab_register_commands(app: typer.Typer) -> None:
    """Adds to `app` the command, or group of commands, that is called as the entry point is."""


@hookspec
def serab_run_started(run: Run) -> None:
    """Tells a tracker that a run begins, with its plan and no results yet."""


@hookspec
def serab_task_scored(result: TaskResult | ContinuousResult) -> None:
    """Tells a tracker of one extractor's score on one task, whether computed now or reused."""


@hookspec
def serab_run_finished(run: Run) -> None:
    """Tells a tracker that a run has ended, with its results and failures."""
