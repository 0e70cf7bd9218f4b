"""Runs measurements in fresh processes, and says what came of them."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import serab_core
from serab_core import plugins
from serab_core.bench.sampling import Lap, Samples
from serab_core.errors import ExtractorError, UsageError
from serab_core.isolation.python import child_environment, child_folder, python_command
from serab_core.store.home import find_home
from serab_core.store.weights import installed, require_weights
from serab_core.system.cpu import available_cores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.types import ExtractorSpec

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_LIMIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was timed.

    Attributes:
        clip_s: seconds of each clip.
        clips: how many went in at a time.
        samples: seconds of a call, and of the reference beside it.
    """

    clip_s: float
    clips: int
    samples: Samples

    @property
    def audio_s(self) -> float:
        """Of audio in a call."""
        return self.clip_s * self.clips

    @property
    def realtime_factor(self) -> float:
        """Seconds of work for a second of audio: below 1 is faster than real time."""
        return self.samples.quantile(0.5) / self.audio_s

    @property
    def clips_per_s(self) -> float:
        """How many clips in a second."""
        return self.clips / self.samples.quantile(0.5)

    @property
    def ratio(self) -> float:
        """What a second of audio costs, in runs of the reference workload: compare machines by it."""
        return self.samples.ratio / self.audio_s


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one extractor with one number of threads.

    Attributes:
        load_s: from nothing to an extractor that has loaded its weights.
        first_s: of the first clip, which may compile or allocate.
        parameters: of its network; None where none was found.
        weights_bytes: of its files on disk; None where one is not known.
        peak_bytes: the most memory that it and its own processes held; 0 where the system does not tell.
        figures: by what was timed.
    """

    extractor: str
    threads: int
    dim: int
    load_s: float
    first_s: float
    parameters: int | None
    weights_bytes: int | None
    peak_bytes: int
    figures: Mapping[str, Figure]


def measure(
    name: str, *, lengths: Sequence[float], batch: int = 0, threads: int | None = None, budget_s: float = 2.0
) -> Measured:
    """Measure one extractor in a process of its own.

    Args:
        name: the extractor.
        lengths: of clips, in seconds.
        batch: clips at a time, beside one at a time; 0 for what it likes.
        threads: that its libraries may use; one by default, as the reference has.
        budget_s: for each figure.

    Raises:
        UnknownNameError, PluginError: it is none.
        WeightsError: its weights are not here.
        UsageError: a length or a number is none.
        ExtractorError: it fails.
    """
    if not lengths or min(lengths) <= 0 or max(lengths) > 3600 or batch < 0 or (threads is not None and threads < 1):
        raise UsageError("lengths are seconds above 0, batches and threads whole numbers", next_step="see --help")
    spec = plugins.extractor(name)
    require_weights(find_home(), spec.name, spec.weights)
    count = threads or 1
    reply = _child({"name": name, "lengths": list(lengths), "batch": batch, "budget_s": budget_s}, count, spec.name)
    figures = {
        title: Figure(figure["clip_s"], figure["clips"], Samples(_laps(figure["calls"]), _laps(figure["reference"])))
        for title, figure in reply["figures"].items()
    }
    return Measured(
        extractor=spec.name,
        threads=count,
        dim=reply["dim"],
        load_s=reply["load_s"],
        first_s=reply["first_s"],
        parameters=reply["parameters"],
        weights_bytes=_weights_bytes(spec),
        peak_bytes=reply["peak_bytes"],
        figures=figures,
    )


def _laps(rows: Sequence[tuple[float, float, int]]) -> tuple[Lap, ...]:
    return tuple(Lap(*row) for row in rows)


def _child(request: dict[str, Any], threads: int, name: str) -> dict[str, Any]:
    environment = child_environment(**dict.fromkeys(_THREADS, str(threads)))
    command = python_command("-m", "serab_core.bench.child", json.dumps(request))
    try:
        completed = subprocess.run(  # noqa: S603  our own module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            cwd=child_folder(),
            timeout=_LIMIT_S,
            check=False,
        )
        answer: dict[str, Any] = json.loads(completed.stdout)
    except subprocess.TimeoutExpired as error:
        raise ExtractorError(f"is not measured after {_LIMIT_S:.0f} s", where=name) from error
    except ValueError as error:
        last = (completed.stderr.strip().splitlines() or [f"exit code {completed.returncode}"])[-1]
        raise ExtractorError(
            f"cannot be measured: {last}", where=name, next_step=f"serab check {name} may tell more"
        ) from error
    return answer


def _weights_bytes(spec: ExtractorSpec) -> int | None:
    sizes = []
    for weight in spec.weights:
        record = installed(find_home(), weight)
        sizes.append(weight.size if record is None else record.source_size)
    return None if None in sizes else sum(size for size in sizes if size is not None)


def machine() -> dict[str, Any]:
    """Where it was measured, as pytest-benchmark has it."""
    return {
        "node": platform.node(),
        "processor": _processor(),
        "machine": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "python_version": platform.python_version(),
        "cores": available_cores(),
        "libraries": {name: _version(name) for name in ("numpy", "numba", "torch", "opensmile") if _version(name)},
    }


def document(measured: Sequence[Measured]) -> dict[str, Any]:
    """Measurements in pytest-benchmark's format, for its tools and ours."""
    benchmarks = []
    for measurement in measured:
        for title, figure in measurement.figures.items():
            name = f"{measurement.extractor}[{title}, {measurement.threads} threads]"
            benchmarks.append(
                {
                    "group": title,
                    "name": name,
                    "fullname": f"serab bench::{name}",
                    "params": {
                        "extractor": measurement.extractor,
                        "threads": measurement.threads,
                        "clip_s": figure.clip_s,
                    },
                    "param": name,
                    "extra_info": {
                        "extractor": measurement.extractor,
                        "threads": measurement.threads,
                        "clips": figure.clips,
                        "clip_s": figure.clip_s,
                        "ratio": figure.ratio,
                        "ratio_error": figure.samples.error,
                        "ratio_of": "processor" if figure.samples.by_processor else "clock",
                        "realtime_factor": figure.realtime_factor,
                        "clips_per_s": figure.clips_per_s,
                        "load_s": measurement.load_s,
                        "first_s": measurement.first_s,
                        "peak_bytes": measurement.peak_bytes,
                        "weights_bytes": measurement.weights_bytes,
                        "parameters": measurement.parameters,
                        "dim": measurement.dim,
                        "reference_s": float(np.median([lap.clock for lap in figure.samples.reference])),
                    },
                    "options": {"disable_gc": False, "warmup": True},
                    "stats": _stats(figure.samples.seconds),
                }
            )
    return {
        "machine_info": machine(),
        "commit_info": {},
        "benchmarks": benchmarks,
        "datetime": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "version": f"serab {serab_core.__version__}",
        "schema": "serab.bench/1",
    }


def _stats(seconds: Sequence[float]) -> dict[str, Any]:
    values = np.asarray(seconds)
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    mean, deviation = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    beyond = int(np.sum((values < low) | (values > high)))
    apart = int(np.sum(abs(values - mean) > deviation))
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": mean,
        "stddev": deviation,
        "rounds": len(values),
        "median": float(median),
        "iqr": float(q3 - q1),
        "q1": float(q1),
        "q3": float(q3),
        "iqr_outliers": beyond,
        "stddev_outliers": apart,
        "outliers": f"{apart};{beyond}",
        "ld15iqr": float(values[values >= low].min()),
        "hd15iqr": float(values[values <= high].max()),
        "iterations": 1,
        "total": float(values.sum()),
        "ops": float(1 / values.mean()),
        "p95": float(np.quantile(values, 0.95)),
        "p99": float(np.quantile(values, 0.99)),
        "data": [float(value) for value in values],
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
