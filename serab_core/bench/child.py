"""Measurement of one extractor in a fresh process.

python -m serab_core.bench.child '{"name": "opensmile", "lengths": [1, 3], "batch": 16, "budget_s": 2.0}'
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from serab_core.system import offline

if TYPE_CHECKING:
    from serab_core.types import Extractor


def measure(name: str, lengths: list[float], batch: int, budget_s: float) -> dict[str, Any]:
    """Return all measurements of one extractor, as plain values.

    Args:
        name: name of the extractor.
        lengths: lengths of single clips, in seconds.
        batch: number of clips in a batch; 0 for the batch size of the extractor.
        budget_s: seconds to spend on each figure.
    """
    begin = time.perf_counter()
    from serab_core import plugins
    from serab_core.types import CorpusExtractor, WarmExtractor

    spec = plugins.extractor(name)
    extractor = spec.factory()
    if isinstance(extractor, WarmExtractor):
        extractor.warm()
    load_s = time.perf_counter() - begin

    from serab_core.bench.clips import TYPICAL_S, clip

    typical = clip(TYPICAL_S, spec.sample_rate)
    if isinstance(extractor, CorpusExtractor) and spec.uses_corpus:
        extractor.use_corpus(extractor.fit_corpus([typical]))
    begin = time.perf_counter()
    extractor.embed([typical])
    first_s = time.perf_counter() - begin

    from serab_core.bench.reference import Reference
    from serab_core.bench.sampling import TURNS, Sampler
    from serab_core.system import memory

    reference = Reference()
    size = batch or spec.batch_size
    samplers = {}
    for seconds in lengths:
        waveform = clip(seconds, spec.sample_rate)
        sampler = Sampler(partial(extractor.embed, [waveform]), reference.run)
        samplers[f"one clip of {seconds:g} s"] = (sampler, seconds, 1)
    sampler = Sampler(partial(extractor.embed, [typical] * size), reference.run)
    samplers[f"{size} clips of {TYPICAL_S:g} s"] = (sampler, TYPICAL_S, size)
    for _ in range(TURNS):
        for sampler, *_rest in samplers.values():
            sampler.turn(budget_s / TURNS)
    while unsettled := [sampler for sampler, *_ in samplers.values() if sampler.wants_more(budget_s)]:
        for sampler in unsettled:
            sampler.turn(budget_s / TURNS)
    figures = {title: _figure(sampler.samples, seconds, clips) for title, (sampler, seconds, clips) in samplers.items()}
    return {
        "extractor": spec.name,
        "dim": spec.dim,
        "load_s": load_s,
        "first_s": first_s,
        "parameters": _parameters(extractor),
        "peak_bytes": memory.peak(os.getpid()),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "figures": figures,
    }


def _figure(samples: Any, seconds: float, clips: int) -> dict[str, Any]:
    return {"clip_s": seconds, "clips": clips, "calls": samples.calls, "reference": samples.reference}


def _parameters(extractor: Extractor) -> int | None:
    """Return `n_parameters` of the extractor, or the number in the first torch module among its attributes, or None."""
    count = getattr(extractor, "n_parameters", None)
    if isinstance(count, int):
        return count
    for value in getattr(extractor, "__dict__", {}).values():
        for module in value if isinstance(value, tuple) else (value,):
            if callable(getattr(module, "parameters", None)) and hasattr(module, "state_dict"):
                return sum(int(parameter.numel()) for parameter in module.parameters())
    return None


if __name__ == "__main__":
    offline.disable_if_requested()
    request = json.loads(sys.argv[1])
    out, sys.stdout = sys.stdout, sys.stderr  # so that output of a plugin cannot mix with the answer
    answer = json.dumps(measure(request["name"], request["lengths"], request["batch"], request["budget_s"]))
    out.write(answer + "\n")
    out.flush()
    from serab_core.system.lifecycle import (
        end_process,
    )  # imported late, because its imports would count as the extractor's memory

    end_process(0)  # without waiting for libraries that are slow to shut down
