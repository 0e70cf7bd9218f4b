"""Extractors that are Python objects: they run in this process, and are stored only under a key of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from serab_core import plugins
from serab_core.errors import ExtractorError, UsageError
from serab_core.types import Extractor, ExtractorSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serab_core.types import Embeddings, Waveform

_PROBE_S = 1.0  # seconds of noise that an object embeds once, to find the dimension of its embeddings
_DEFAULT_RATE = 16_000  # Hz; the example in an error message


@dataclass(frozen=True, slots=True)
class LocalExtractor:
    """An extractor of this process.

    Attributes:
        spec: the declaration of the extractor.
        cache_key: the key under which its embeddings and results are stored; "" if they are not stored.
    """

    spec: ExtractorSpec
    cache_key: str


def sort_extractors(
    extractors: object, cache_key: str | Mapping[str, str] | None
) -> tuple[list[str | LocalExtractor], list[str]]:
    """Return the extractors in order, and the names by which a caller can look up their results.

    Args:
        extractors: a name, a spec, an object, a list of these, or a mapping from names to objects and specs.
        cache_key: the key of the only object, or keys by name.

    Raises:
        UsageError: an object is not an extractor, two extractors have the same name, or a key belongs to no object.
    """
    entries = list(_entries(extractors))
    local = [name for name, item in entries if not isinstance(item, str)]
    keys = _keys(cache_key, local)
    used: list[str | LocalExtractor] = []
    for name, item in entries:
        used.append(item if isinstance(item, str) else _local(name, item, keys.get(name, "")))
    return used, [name for name, _ in entries]


def _entries(extractors: object) -> Iterable[tuple[str, Any]]:
    if isinstance(extractors, Mapping):
        pairs: list[tuple[str, Any]] = [(str(name), item) for name, item in extractors.items()]
    elif isinstance(extractors, (str, Path, ExtractorSpec)) or not isinstance(extractors, (Sequence, set, tuple)):
        pairs = [("", extractors)]
    else:
        pairs = [("", item) for item in extractors]
    names: set[str] = set()
    for given, item in pairs:
        item = str(item) if isinstance(item, Path) else item
        name = given or (item if isinstance(item, str) else _name(item))
        if isinstance(item, str) and given and given != item:
            raise UsageError(
                f"{given!r} cannot be an alias of {item!r}", next_step="use the names of installed extractors"
            )
        if name in names:
            raise UsageError(
                f"two extractors are called {name!r}",
                next_step='give each object its own name: evaluate({"first": a, "second": b})',
            )
        names.add(name)
        yield name, item


def _name(item: object) -> str:
    name = getattr(item, "name", None)
    return name if isinstance(name, str) and name else type(item).__name__


def _keys(cache_key: str | Mapping[str, str] | None, local: Sequence[str]) -> dict[str, str]:
    if not cache_key:
        return {}
    if isinstance(cache_key, str):
        if len(local) != 1:
            raise UsageError(
                f"one cache_key was given for {len(local)} objects",
                next_step='give a key for each: cache_key={"name": "key"}' if local else "leave cache_key out",
            )
        return {local[0]: cache_key}
    unknown = sorted(set(cache_key) - set(local))
    if unknown:
        raise UsageError(
            f"cache_key names {', '.join(unknown)}, which is not an object of this call",
            next_step=f"use the names of the objects: {', '.join(local)}" if local else "leave cache_key out",
        )
    return dict(cache_key)


def _local(name: str, item: object, cache_key: str) -> LocalExtractor:
    if plugins.is_installed(name):
        raise UsageError(
            f"an installed extractor has the same name {name!r}",
            next_step='give the object another name: evaluate({"my-model": model})',
        )
    spec = item if isinstance(item, ExtractorSpec) else _spec(name, item)
    identity = {"cache_key": cache_key} if cache_key else {"object": uuid4().hex}  # unique for each object
    return LocalExtractor(replace(spec, name=name, parameters={**spec.parameters, **identity}), cache_key)


def _spec(name: str, item: object) -> ExtractorSpec:
    if not callable(getattr(item, "embed", None)):
        raise UsageError(
            f"{type(item).__name__} is not an extractor: it has no method embed(waveforms)",
            next_step="give a name (serab.extractors() lists them), an ExtractorSpec, or an object with "
            "embed(waveforms) and sample_rate",
        )
    rate = getattr(item, "sample_rate", None)
    if rate is None:
        raise UsageError(
            f"{name} does not state its sampling rate",
            next_step=f"set its attribute sample_rate in Hz, such as {_DEFAULT_RATE}",
        )
    wrapped = ObjectExtractor(item, name)
    clip = np.random.RandomState(0).uniform(-0.1, 0.1, int(_PROBE_S * int(rate))).astype(np.float32)
    dim = wrapped.embed([clip]).shape[1]
    return ExtractorSpec(
        name=name,
        factory=lambda: wrapped,
        dim=dim,
        summary=f"an object of class {type(item).__name__}",
        licence="the object's own",
        sample_rate=int(rate),
        batch_size=int(getattr(item, "batch_size", 16)),
    )


class ObjectExtractor(Extractor):
    """An object with `embed`, whose result may be an array, a tensor, or a list of numbers.

    Args:
        item: the object.
        name: the name for error messages.
    """

    def __init__(self, item: object, name: str) -> None:
        self._item, self._name = item, name

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return the object's embeddings.

        Args:
            waveforms: mono float32 at the object's rate.

        Returns:
            float32, shape (len(waveforms), dim).

        Raises:
            ExtractorError: the object did not return one row of numbers for each waveform.
        """
        result = self._item.embed(waveforms)  # type: ignore[attr-defined]
        if hasattr(result, "detach"):  # a tensor of torch, perhaps in bfloat16, which NumPy does not know
            result = result.detach().cpu().float()
        try:
            array = np.asarray(result, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ExtractorError(
                f"embed returned values that are not numbers ({error})",
                where=self._name,
                next_step="return an array of numbers with shape (number of waveforms, dimension)",
            ) from error
        if array.ndim != 2 or len(array) != len(waveforms) or not array.shape[1]:
            raise ExtractorError(
                f"embed returned shape {array.shape} for {len(waveforms)} waveforms",
                where=self._name,
                next_step="return one row of numbers for each waveform: shape (number of waveforms, dimension)",
            )
        return array
