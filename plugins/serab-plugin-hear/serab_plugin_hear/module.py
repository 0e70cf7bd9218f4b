"""A module with the HEAR API (arXiv:2203.03022, appendix on the common API), loaded and called."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.plugin import UsageError, working_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EQUAL_TOLERANCE = 1e-5  # relative difference between a clip alone and in a batch that counts as rounding
_REPEAT_TOLERANCE = 1e-4  # relative difference between two embeddings of a clip that counts as rounding, not dropout


class HearModule:
    """A module and its model.

    Args:
        name: name of the module, or path of its file.
        weights: the file that `load_model` gets, or "" for none.

    Raises:
        ValueError: the module does not implement the API.
        UsageError: the module gives one clip two different embeddings.
    """

    def __init__(self, name: str, weights: str) -> None:
        self._module = _imported(name)
        if not callable(getattr(self._module, "load_model", None)):
            raise ValueError("it has no load_model")
        self.scenes = callable(getattr(self._module, "get_scene_embeddings", None))
        if not self.scenes and not callable(getattr(self._module, "get_timestamp_embeddings", None)):
            raise ValueError("it has neither get_scene_embeddings nor get_timestamp_embeddings")
        self._model = self._module.load_model(weights) if weights else self._module.load_model()
        size = "scene_embedding_size" if self.scenes else "timestamp_embedding_size"
        self.rate, self.dim = (self._number(name) for name in ("sample_rate", size))
        self._name = f"hear:{name}" + (f"={weights}" if weights else "")
        self._switch_to_evaluation()
        self._require_repeatable()
        self.together = self._supports_batches()

    @property
    def file(self) -> Path:
        """Path of the module's file."""
        return Path(str(self._module.__file__)).absolute()

    @property
    def framework(self) -> str:
        """Framework of the module's tensors: `torch`, `tensorflow`, or `numpy`."""
        for name, kinds in (("torch", ("nn.Module",)), ("tensorflow", ("Module", "keras.Model"))):
            library = sys.modules.get(name)
            for kind in kinds if library is not None else ():
                base: Any = library
                for name_part in kind.split("."):
                    base = getattr(base, name_part, None)
                if isinstance(base, type) and isinstance(self._model, base):
                    return name
        return "torch" if "torch" in sys.modules else "tensorflow" if "tensorflow" in sys.modules else "numpy"

    def embed(self, clips: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return embeddings of clips of equal length, shape (n, samples) -> (n, dim)."""
        batches = [clips] if self.together else [clip[None] for clip in clips]
        rows = np.concatenate([self._call(batch) for batch in batches])
        if rows.shape != (len(clips), self.dim):
            raise ValueError(f"it returns shape {rows.shape} for {len(clips)} clips, and declares {self.dim} numbers")
        return rows

    def _call(self, clips: NDArray[np.float32]) -> NDArray[np.float32]:
        audio, framework = np.array(clips, np.float32), self.framework
        if framework == "torch":
            torch: Any = sys.modules["torch"]
            with torch.no_grad():
                return self._embedded(torch.from_numpy(audio))
        if framework == "tensorflow":
            tensorflow: Any = sys.modules["tensorflow"]
            return self._embedded(tensorflow.convert_to_tensor(audio))
        return self._embedded(audio)

    def _embedded(self, audio: Any) -> NDArray[np.float32]:
        if self.scenes:
            return _array(self._module.get_scene_embeddings(audio, self._model))
        embeddings, _ = self._module.get_timestamp_embeddings(audio, self._model)
        means: NDArray[np.float32] = _array(embeddings).mean(axis=1, dtype=np.float64).astype(np.float32)
        return means

    def _number(self, name: str) -> int:
        value = getattr(self._model, name, None)
        if value is None or int(value) != value or value < 1:
            raise ValueError(f"its model has no {name}, or one that is not a positive whole number: {value!r}")
        return int(value)

    def _switch_to_evaluation(self) -> None:
        """Put every network of this process into evaluation mode, wherever the module keeps it.

        The process serves this module alone. A network may be an attribute of a plain object, an element of a list, a
        global variable or a default argument.
        """
        if hasattr(self._model, "eval"):
            self._model.eval()
        torch: Any = sys.modules.get("torch")
        base = getattr(getattr(torch, "nn", None), "Module", None)
        if not isinstance(base, type):
            return
        for candidate in gc.get_objects():
            if issubclass(type(candidate), base) and getattr(candidate, "training", False):
                with contextlib.suppress(Exception):  # exported programs cannot change their mode
                    candidate.eval()

    def _require_repeatable(self) -> None:
        """Raise UsageError if one clip gets two different embeddings."""
        clip = self._noise()[:1]
        self._call(clip)
        self._switch_to_evaluation()  # networks that the first call built
        first, second = self._call(clip), self._call(clip)
        if first.shape == second.shape:
            largest = max(float(np.abs(first).max(initial=0.0)), 1e-12)
            difference = float(np.abs(first - second).max(initial=0.0)) / largest
            if not difference > _REPEAT_TOLERANCE:
                return
            amount = f"which differ by {difference:.2g} of its largest number"
        else:
            amount = f"of shapes {first.shape} and {second.shape}"
        raise UsageError(
            f"gives one clip two different embeddings, {amount}: dropout or another random step is on",
            where=self._name,
            next_step="call eval() on the network in load_model, and seed all other random numbers",
        )

    def _noise(self) -> NDArray[np.float32]:
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 2 * self.rate)).astype(np.float32)
        noise[1] *= 0.1
        return noise

    def _supports_batches(self) -> bool:
        """Return whether the embedding of a clip is the same in a batch with another clip."""
        noise = self._noise()
        alone, both = self._call(noise[:1]), self._call(noise)
        scale = max(float(np.abs(alone).max()), 1e-12)
        return both.shape[0] == 2 and bool(np.abs(both[0] - alone[0]).max() <= _EQUAL_TOLERANCE * scale)


def _array(value: Any) -> NDArray[np.float32]:
    """Return a tensor of either framework, or an array, as a float32 array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().float()  # NumPy has no bfloat16
    return np.array(value, np.float32)  # a copy: the module may reuse its memory for the next call


def _imported(name: str) -> Any:
    if not name.endswith(".py"):
        return importlib.import_module(name)
    path = Path(name).absolute()
    add_to_path(path.parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def local_base(top: str) -> Path | None:
    """Return the package or module of this name in the working folder, or None."""
    here = working_folder()
    for base in (here / top, here / f"{top}.py") if here is not None and top else ():
        if base.is_file() or next(base.glob("*.py"), None) is not None:
            return base
    return None


def add_to_path(folder: Path) -> None:
    """Add a folder to the module search path, after Python's standard library and before installed packages.

    The folder may contain a file with the name of a standard module, such as `random.py`.
    """
    library = [at for at, path in enumerate(sys.path) if Path(path).name == "lib-dynload"]
    sys.path.insert(library[0] + 1 if library else 0, str(folder))
