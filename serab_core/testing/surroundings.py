"""Checks of the effects of an extractor on its process, and of its behaviour in another process."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.testing.checks import ConformanceError
from serab_core.testing.children import growth, printed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serab_core.types import Embeddings

HEAVY = ("tensorflow", "torch", "transformers", "keras", "jax")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MEMORY_BYTES = 2 << 30  # bytes; maximum memory growth while embedding ten minutes of audio, after one second

_LOOK = """
import json, sys
from serab_core import plugins
spec = plugins.extractor(sys.argv[1])
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""
_EMBED = """
import sys
import numpy as np
from serab_core import plugins
from serab_core.testing.example import build_extractor, example_clips
spec = plugins.extractor(sys.argv[1])
embeddings = build_extractor(spec).embed(example_clips(spec.sample_rate))
sys.stdout.flush()
with open(sys.argv[2], "wb") as file:
    np.save(file, np.asarray(embeddings), allow_pickle=False)
"""
_EMBED_LONG = """
import sys
import numpy as np
from serab_core import plugins
from serab_core.testing.example import build_extractor, example_clips, long_clip
spec = plugins.extractor(sys.argv[1])
extractor = build_extractor(spec)
short = np.asarray(extractor.embed(example_clips(spec.sample_rate)[:1]))
long = long_clip(spec.sample_rate)
print("\\nready", flush=True)
embedding = np.asarray(extractor.embed([long]))
if embedding.shape != short.shape:
    sys.exit(f"ten minutes give {embedding.shape}, a short clip {short.shape}")
if not np.isfinite(embedding).all():
    sys.exit("the embedding of ten minutes is not finite")
"""


def check_imports(name: str) -> None:
    """Check that reading the spec imports none of the libraries that its factory needs."""
    output = printed(_LOOK, name, json.dumps(HEAVY))
    imported = json.loads(output.splitlines()[-1])
    if imported:
        raise ConformanceError(f"reading its spec imports {', '.join(imported)}")


def check_other_process(name: str, here: Embeddings, scratch: Path) -> None:
    """Check that the extractor returns the same embeddings in another process."""
    file = scratch / "embeddings.npy"
    printed(_EMBED, name, str(file), PYTHONHASHSEED="7")
    there = np.load(file)
    scale = np.abs(here).max(axis=1, keepdims=True) + 1e-6
    if there.shape != here.shape:
        raise ConformanceError(f"another process returns shape {there.shape}, this process {here.shape}")
    worst = float((np.abs(there - here) / scale).max())
    if not worst < 1e-4:
        raise ConformanceError(f"another process returns other embeddings; the relative difference is {worst:.2g}")


def supports_long_audio(name: str) -> str:
    """Check that ten minutes of audio are embedded in bounded memory."""
    taken = growth(_EMBED_LONG, name, limit=MEMORY_BYTES)
    if not taken <= MEMORY_BYTES:
        raise ConformanceError(f"ten minutes of audio need more than {MEMORY_BYTES >> 20} MiB")
    return f"ten minutes need {taken >> 20} MiB more than one second"


def check_settings(run: Callable[[], Any]) -> None:
    """Check that a function leaves the global random generators and thread settings unchanged."""
    # Draw first: otherwise a seed that an earlier call has set would leave the same state as this call.
    state: Any = np.random.get_state(legacy=True)
    np.random.random()
    random.random()  # noqa: S311
    before = _settings()
    run()
    now = _settings()
    np.random.set_state(state)
    changed = [title for title, value in now.items() if title in before and value != before[title]]
    if changed:
        raise ConformanceError(f"it changes {', '.join(changed)}")


def check_no_network(run: Callable[[], Any]) -> None:
    """Check that embedding does not use the network."""
    real, addresses = socket.socket.connect, []

    def refused(self: socket.socket, address: Any) -> None:
        if self.family == getattr(socket, "AF_UNIX", None):
            return real(self, address)
        addresses.append(address)
        raise OSError("no network in a conformance check")

    socket.socket.connect = refused  # type: ignore[method-assign,assignment]
    failed: Exception | None = None
    try:
        run()
    except Exception as error:
        failed = error
    finally:
        socket.socket.connect = real  # type: ignore[method-assign]
    consequence = f", and fails without it ({type(failed).__name__})" if failed else ""
    if addresses:
        raise ConformanceError(f"it connects to {addresses[0]} over the network{consequence}")
    if failed is not None:
        raise failed


def _settings() -> dict[str, Any]:
    """Return global settings by name, including those of loaded libraries."""
    state: Any = np.random.get_state(legacy=True)
    values: dict[str, Any] = {
        "NumPy's global generator": (state[1].tobytes(), state[2]),
        "Python's global generator": random.getstate(),
        **{f"${variable}": os.environ.get(variable) for variable in _THREADS},
    }
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        values["torch's global generator"] = torch.get_rng_state().numpy().tobytes()
        values["torch's number of threads"] = torch.get_num_threads()
    return values
