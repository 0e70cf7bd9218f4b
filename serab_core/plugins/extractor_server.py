"""The process of an isolated extractor: `python -m serab_core.plugins.extractor_server`."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import serab_core
from serab_core import plugins
from serab_core.errors import ExtractorError, PluginError
from serab_core.isolation.server import answer
from serab_core.plugins.entry_points import Group
from serab_core.plugins.proxy import PLAIN, as_waveforms, weight_facts
from serab_core.system.cpu import share_cores
from serab_core.types import CorpusExtractor, WarmExtractor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from serab_core.isolation.server import Arrays
    from serab_core.types import Extractor, ExtractorSpec, Waveform

    Answer = tuple[dict[str, Any], Iterable[Any]]


def describe(spec: ExtractorSpec) -> dict[str, Any]:
    """Return a spec as plain values, with its distribution, environment and version of Python."""
    spec_facts = {key: getattr(spec, key) for key in PLAIN} | {
        "parameters": dict(spec.parameters),
        "expected_failures": dict(spec.expected_failures),
        "options": dict(spec.options),
        "code": dict(spec.code),
        "weights": [weight_facts(weight) for weight in spec.weights],
        "libraries": {name: _version(name, spec.name) for name in spec.libraries},
        "known_state": spec.known_state is not None,
        "preflight": spec.preflight is not None,
    }
    entry = spec.name.partition("/")[0].partition("+")[0].partition(":")[0]
    origin = next((record for record in plugins.registry().records(Group.EXTRACTORS) if record.name == entry), None)
    runs_in = {"python": platform.python_version()}
    if origin is not None:
        runs_in |= {"distribution": origin.distribution, "version": origin.version}
    return {"serab": serab_core.__version__, "spec": spec_facts, "runs_in": runs_in}


def _version(library: str, extractor: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError as error:
        raise PluginError(
            f"needs {library}, which is not installed in its environment",
            where=extractor,
            next_step=f"install {library} there",
        ) from error


@lru_cache(maxsize=1)
def _extractor(name: str) -> Extractor:
    return plugins.extractor(name).factory()


def _corpus(name: str) -> CorpusExtractor:
    extractor = _extractor(name)
    if not isinstance(extractor, CorpusExtractor):
        raise TypeError("declares uses_corpus but has no fit_corpus and use_corpus")
    return extractor


def _described(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    return describe(plugins.extractor(header["name"])), ()


def _all(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    return {"all": [describe(spec) for spec in plugins.all_specs(Group.EXTRACTORS).values()]}, ()


def _inventory(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    plugins.registry().load_all(Group.EXTRACTORS)
    return {"records": [record.as_json() for record in plugins.registry().records(Group.EXTRACTORS)]}, ()


def _warm(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    extractor = _extractor(header["name"])
    if isinstance(extractor, WarmExtractor):
        with share_cores(lambda: int(header["cores"])):
            extractor.warm()
    return {}, ()


def _embed(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    with share_cores(lambda: int(header["cores"])):
        embeddings = _extractor(header["name"]).embed(as_waveforms(arrays))
    if not isinstance(embeddings, np.ndarray) or embeddings.dtype != np.float32:  # the transfer would convert the type
        returned = (
            f"{embeddings.dtype} {embeddings.shape}"
            if isinstance(embeddings, np.ndarray)
            else type(embeddings).__name__
        )
        raise ExtractorError(f"embed returned {returned} instead of float32", where=header["name"])
    return {}, [embeddings]


def _fit(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    with share_cores(lambda: int(header["cores"])):
        return {"state": dict(_corpus(header["name"]).fit_corpus(waveform.copy() for waveform in stream))}, ()


def _use(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    _corpus(header["name"]).use_corpus(header["state"])
    return {}, ()


def _state(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    known = plugins.extractor(header["name"]).known_state
    state = known(header["task"]) if known is not None else None
    return {"state": dict(state) if state is not None else None}, ()


def _preflight(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    check = plugins.extractor(header["name"]).preflight
    if check is not None:
        check()
    return {}, ()


def _convert(header: dict[str, Any], arrays: Arrays, stream: Iterator[Waveform]) -> Answer:
    convert = plugins.extractor(header["name"]).weights[header["number"]].convert
    assert convert is not None
    convert(Path(header["source"]), Path(header["target"]))
    return {}, ()


if __name__ == "__main__":
    answer(
        {
            "inventory": _inventory,
            "describe": _described,
            "all": _all,
            "warm": _warm,
            "embed": _embed,
            "fit": _fit,
            "use": _use,
            "state": _state,
            "preflight": _preflight,
            "convert": _convert,
        }
    )
