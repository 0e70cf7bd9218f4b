"""Measurements of extractors in fresh processes, and their document."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import serab_core
from serab_core import plugins
from serab_core.bench.sampling import Lap, Samples
from serab_core.errors import ExtractorError, UsageError
from serab_core.isolation.python import child_environment, child_folder, python_command
from serab_core.run.provenance import library_versions
from serab_core.store.home import find_home
from serab_core.store.weights import require_weights, weight_record
from serab_core.system.cpu import available_cores, processor_name
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.types import ExtractorSpec

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_LIMIT_S = 3600.0  # seconds; a measurement that takes longer is treated as a hang


@dataclass(frozen=True, slots=True)
class Figure:
    """The measurement of one clip length and batch size.

    Attributes:
        clip_s: length of each clip in seconds.
        clips: number of clips in a call.
        samples: times of calls, and of the reference workload.
    """

    clip_s: float
    clips: int
    samples: Samples

    @property
    def audio_s(self) -> float:
        """Seconds of audio in a call."""
        return self.clip_s * self.clips

    @property
    def realtime_factor(self) -> float:
        """Seconds of work per second of audio; below 1 is faster than real time."""
        return self.samples.quantile(0.5) / self.audio_s

    @property
    def clips_per_s(self) -> float:
        """Clips per second."""
        return self.clips / self.samples.quantile(0.5)

    @property
    def ratio(self) -> float:
        """Cost of a second of audio, in runs of the reference workload; use it to compare machines."""
        return self.samples.ratio / self.audio_s


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of one extractor with one number of threads.

    Attributes:
        load_s: seconds to import the libraries and load the weights.
        first_s: seconds for the first clip, which may include compilation and allocation.
        parameters: number of parameters of the network; None if it is not known.
        weights_bytes: total size of the weight files; None if a size is not known.
        peak_bytes: peak memory of the process and its children; 0 if the system does not report it.
        figures: figures by title.
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
    """Measure one extractor in a separate process.

    Args:
        name: name of the extractor.
        lengths: lengths of single clips, in seconds.
        batch: number of clips in a batch; 0 for the batch size of the extractor.
        threads: number of threads that its libraries may use; 1 by default, as for the reference workload.
        budget_s: seconds to spend on each figure.

    Raises:
        UnknownNameError, PluginError: the name belongs to no working extractor.
        WeightsError: its weights are not installed.
        UsageError: a length or a number is invalid.
        ExtractorError: the extractor fails.
    """
    if not lengths or min(lengths) <= 0 or max(lengths) > 3600 or batch < 0 or (threads is not None and threads < 1):
        raise UsageError(
            "lengths must be above 0 and at most 3600 seconds, batch at least 0, and threads at least 1",
            next_step="correct them",
        )
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
    program = python_command("-m", "serab_core.bench.child", json.dumps(request))
    try:
        completed = subprocess.run(  # noqa: S603  a module of serab
            program,
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
        raise ExtractorError(
            f"the measurement took more than {_LIMIT_S:.0f} s",
            where=name,
            next_step="measure shorter clips",
        ) from error
    except ValueError as error:
        last = (completed.stderr.strip().splitlines() or [f"exit code {completed.returncode}"])[-1]
        raise ExtractorError(
            f"cannot be measured: {last}", where=name, next_step=f"see the details with {command('check', name)}"
        ) from error
    return answer


def _weights_bytes(spec: ExtractorSpec) -> int | None:
    sizes = []
    for weight in spec.weights:
        record = weight_record(find_home(), weight)
        sizes.append(weight.size if record is None else record.source_size)
    return None if None in sizes else sum(size for size in sizes if size is not None)


def machine() -> dict[str, Any]:
    """Return the description of this machine, with the keys of pytest-benchmark."""
    return {
        "node": platform.node(),
        "processor": processor_name(),
        "machine": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "python_version": platform.python_version(),
        "cores": available_cores(),
        "libraries": library_versions(("numpy", "numba", "torch", "opensmile")),
    }


def document(measured: Sequence[Measured]) -> dict[str, Any]:
    """Return measurements as a document in the format of pytest-benchmark."""
    benchmarks = []
    for measurement in measured:
        for title, figure in measurement.figures.items():
            name = f"{measurement.extractor}[{title}, {measurement.threads} threads]"
            benchmarks.append(
                {
                    "group": title,
                    "name": name,
                    "fullname": f"serab::{name}",
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
    outliers = int(np.sum(abs(values - mean) > deviation))
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
        "stddev_outliers": outliers,
        "outliers": f"{outliers};{beyond}",
        "ld15iqr": float(values[values >= low].min()),
        "hd15iqr": float(values[values <= high].max()),
        "iterations": 1,
        "total": float(values.sum()),
        "ops": float(1 / values.mean()),
        "p95": float(np.quantile(values, 0.95)),
        "p99": float(np.quantile(values, 0.99)),
        "data": [float(value) for value in values],
    }
