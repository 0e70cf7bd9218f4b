"""Extractors in separate processes, with the interface of ordinary extractors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import serab_core
from serab_core.errors import PluginError
from serab_core.isolation.environments import INSIDE_VARIABLE
from serab_core.isolation.messages import RemoteError
from serab_core.isolation.process import Process
from serab_core.system.cpu import free_cores
from serab_core.system.hints import command
from serab_core.system.session import current_session
from serab_core.types import ExtractorSpec, WeightFile

if TYPE_CHECKING:
    from serab_core.isolation.environments import Environment
    from serab_core.types import CorpusState, Embeddings, Waveform

CHILD = "serab_core.plugins.extractor_server"
PLAIN = (
    "name",
    "dim",
    "summary",
    "licence",
    "citation",
    "sample_rate",
    "version",
    "parameters",
    "batch_size",
    "deterministic",
    "uses_corpus",
    "layers",
    "classifiers",
    "expected_failures",
    "options",
    "tolerance",
    "code",
)
"""Fields of a spec that are sent unchanged."""
MAX_PROCESSES = 4  # processes of isolated extractors that a session keeps running


@dataclass(frozen=True, slots=True)
class IsolatedSpec(ExtractorSpec):
    """The spec of an isolated extractor.

    Attributes:
        versions: versions of the libraries that its embeddings depend on, in its environment.
        runs_in: the environment, the version of Python, and the plugin's distribution and version.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    runs_in: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The environment of an extractor's process: an isolated environment, or by default this one."""

    python: Path | None = None
    name: str = ""

    @classmethod
    def of(cls, environment: Environment | None) -> Place:
        """Return the place of an isolated environment; None stands for this environment."""
        return cls() if environment is None else cls(environment.python, environment.name)

    def ask(self, header: Mapping[str, Any], extractor: str = "", **named: Any) -> Any:
        """Send a request about extractors. Failures are raised as PluginError."""
        try:
            return _running(self, extractor).ask(header, **named)
        except RemoteError as error:
            raise PluginError(
                f"its process does not answer ({error})",
                where=extractor or self.name,
                next_step=f"create its environment again with {command('plugins isolate', self.name)}"
                if self.name
                else "retry without isolation (SERAB_ISOLATE=0)",
            ) from error


def described(name: str, place: Place) -> IsolatedSpec:
    """Return the spec of the extractor called `name` in an environment.

    Raises:
        SerabError: `plugins.extractor` raised it in the environment.
        PluginError: the process does not start, or has another version of serab.
    """
    answer, _ = place.ask({"do": "describe", "name": name}, name)
    return _spec(answer, name, place)


def all_described(place: Place) -> dict[str, IsolatedSpec]:
    """Return every extractor of an environment, by name, except for failing plugins. Raises PluginError."""
    answer, _ = place.ask({"do": "all"})
    return {
        description["spec"]["name"]: _spec(description, description["spec"]["name"], place)
        for description in answer["all"]
    }


class IsolatedExtractor:
    """An extractor whose code runs in another process.

    Args:
        name: its name, as `plugins.extractor` accepts it.
        place: its environment.
    """

    def __init__(self, name: str, place: Place) -> None:
        self._name, self._place = name, place

    def warm(self) -> None:
        """Load the model."""
        self._ask("warm")

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return the embeddings of waveforms. Raises RemoteError if the extractor raised an error or died."""
        embeddings: list[Embeddings] = self._ask("embed", arrays=waveforms)[1]
        return embeddings[0]

    def _ask(self, do: str, **more: Any) -> Any:
        named = {key: more.pop(key) for key in ("arrays", "stream") if key in more}
        header = {"do": do, "name": self._name, "cores": free_cores(), **more}
        return _running(self._place, self._name).ask(header, **named)


class IsolatedCorpusExtractor(IsolatedExtractor):
    """An isolated extractor that needs statistics of the training split."""

    def fit_corpus(self, train_waveforms: Iterable[Waveform]) -> CorpusState:
        """Return the statistics of a training split, which is sent one waveform at a time."""
        answer, _ = self._ask("fit", stream=train_waveforms)
        state: CorpusState = answer["state"]
        return state

    def use_corpus(self, state: CorpusState) -> None:
        """Set the statistics in the process."""
        self._ask("use", state=dict(state))


def _spec(description: Mapping[str, Any], name: str, place: Place) -> IsolatedSpec:
    if description["serab"] != serab_core.__version__:
        raise PluginError(
            f"its environment has serab {description['serab']}, and this environment {serab_core.__version__}",
            where=name,
            next_step=f"create it again with {command('plugins isolate', place.name)}",
        )
    facts = dict(description["spec"])
    plain: dict[str, Any] = {key: facts[key] for key in PLAIN}
    plain |= {key: tuple(facts[key]) for key in ("layers", "classifiers")}
    kind = IsolatedCorpusExtractor if facts["uses_corpus"] else IsolatedExtractor
    return IsolatedSpec(
        **plain,
        factory=partial(kind, name, place),
        weights=tuple(_weight(weight, number, name, place) for number, weight in enumerate(facts["weights"])),
        libraries=tuple(facts["libraries"]),
        known_state=partial(_known_state, name, place) if facts["known_state"] else None,
        preflight=partial(_preflight, name, place) if facts["preflight"] else None,
        versions=facts["libraries"],
        runs_in={"environment": place.name, **description["runs_in"]},
    )


def weight_facts(weight: WeightFile) -> dict[str, Any]:
    """Return a weight file's declaration as plain values."""
    return {attribute.name: getattr(weight, attribute.name) for attribute in fields(WeightFile)} | {
        "convert": weight.convert is not None
    }


def _weight(facts: Mapping[str, Any], number: int, name: str, place: Place) -> WeightFile:
    convert = partial(_convert, name, place, number) if facts["convert"] else None
    return WeightFile(**{**facts, "mirrors": tuple(facts["mirrors"]), "convert": convert})


def _convert(name: str, place: Place, number: int, source: Path, target: Path) -> None:
    header = {"do": "convert", "name": name, "number": number, "source": str(source), "target": str(target)}
    try:
        _running(place, name).ask(header)
    except RemoteError as error:
        raise ValueError(str(error)) from error


def _known_state(name: str, place: Place, task: str) -> CorpusState | None:
    try:
        state: CorpusState | None = _running(place, name).ask({"do": "state", "name": name, "task": task})[0]["state"]
    except RemoteError as error:
        raise ValueError(str(error).removeprefix("ValueError: ")) from error
    return state


def _preflight(name: str, place: Place) -> None:
    place.ask({"do": "preflight", "name": name}, name)


def _running(place: Place, name: str) -> Process:
    """Return the extractor's process. The most recently used stay running; a process that died is started again."""
    processes = current_session().cached("isolated processes", _new_processes)
    key = (place, name)
    process = processes.pop(key, None)
    if process is None or not process.alive:
        process = Process(name or place.name, CHILD, [], {INSIDE_VARIABLE: "1"}, place.python)
    processes[key] = process
    while len(processes) > MAX_PROCESSES:
        processes.popitem(last=False)[1].close()
    return process


def _new_processes() -> OrderedDict[tuple[Place, str], Process]:
    processes: OrderedDict[tuple[Place, str], Process] = OrderedDict()
    current_session().on_close(partial(_end, processes))
    return processes


def end_processes() -> None:
    """End the processes of isolated extractors that this session started."""
    _end(current_session().memory.get("isolated processes", OrderedDict()))


def _end(processes: OrderedDict[tuple[Place, str], Process]) -> None:
    while processes:
        processes.popitem()[1].close()


def as_waveforms(arrays: Iterable[Any]) -> list[Waveform]:
    """Return writable copies of arrays from a pipe, as an extractor may modify them."""
    return [np.array(array) for array in arrays]
