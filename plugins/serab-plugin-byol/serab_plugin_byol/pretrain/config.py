"""Every hyper-parameter of a pre-training, its presets, and TOML in and out."""

from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from serab_core.plugin import UsageError
from serab_plugin_byol.architecture import Architecture, architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PRESETS = ("byol-s", "byol-a-2021", "byol-s-released")
RATE = 16_000


@dataclass(frozen=True, slots=True)
class Config:
    """The hyper-parameters (reference: arXiv:2103.06695, sections III and IV-A); defaults are BYOL-A's.

    Attributes:
        preset: the preset that it started from.
        encoder: `audiontt` or `cvt`.
        size: length of the embedding.
        unit_s: seconds of audio that a segment has.
        random_crop: whether a segment lies anywhere in its clip, or always at its beginning.
        window: of the log-mel, in samples at 16 kHz.
        prenorm_epochs: epochs after which the running mean and deviation stay as they are.
        mixup_ratio: the largest share that another segment gets in log-mixup-exp.
        mixup_memory: past segments that it is drawn from.
        crop_low, crop_high: of the random resized crop's height and width, as shares of the segment's.
        canvas: width of the crop's canvas, as a share of the segment's.
        postnorm: whether both views together are standardised.
        hidden, projection: widths of projector and predictor.
        ema: what the target keeps of itself at each step.
        optimiser: `adam` or `adamw`.
        learning_rate, weight_decay: its own.
        batch: segments a step, over all devices and accumulated steps.
        epochs: passes over the data.
        seed: of weights, order, crops, mixing and dropout.
    """

    preset: str = "byol-s"
    encoder: str = "audiontt"
    size: int = 2048
    unit_s: float = 0.95
    random_crop: bool = True
    window: int = 1024
    prenorm_epochs: float = 10.0
    mixup_ratio: float = 0.4
    mixup_memory: int = 2048
    crop_low: float = 0.6
    crop_high: float = 1.5
    canvas: float = 1.5
    postnorm: bool = True
    hidden: int = 4096
    projection: int = 256
    ema: float = 0.99
    optimiser: str = "adam"
    learning_rate: float = 3e-4
    weight_decay: float = 0.0
    batch: int = 256
    epochs: float = 100.0
    seed: int = 42

    def __post_init__(self) -> None:
        """Raises UsageError for values that make no training."""
        faults = {
            "unit_s must be from 0.08 to 60": not 0.08 <= self.unit_s <= 60,
            "window must be from 1 to 1024": not 1 <= self.window <= 1024,
            "mixup_ratio must be from 0 to 1": not 0 <= self.mixup_ratio <= 1,
            "mixup_memory must not be negative": self.mixup_memory < 0,
            "crop_low and crop_high must rise above 0, and canvas be at least 1": not 0
            < self.crop_low
            <= self.crop_high
            or self.canvas < 1,
            "ema must be from 0 to 1": not 0 <= self.ema <= 1,
            "optimiser must be adam or adamw": self.optimiser not in ("adam", "adamw"),
            "learning_rate must be above 0": not 0 < self.learning_rate < math.inf,
            "batch must be at least 2, hidden, projection, epochs and prenorm_epochs above 0": self.batch < 2
            or not all(0 < v < math.inf for v in (self.hidden, self.projection, self.epochs, self.prenorm_epochs)),
            "weight_decay must not be negative": not 0 <= self.weight_decay < math.inf,
        }
        for text, is_so in faults.items():
            if is_so:
                raise UsageError(text, where="the training's configuration")
        try:
            self.architecture  # noqa: B018
        except ValueError as error:
            raise UsageError(str(error), where="the training's configuration") from error

    @property
    def architecture(self) -> Architecture:
        """The network."""
        return architecture(self.encoder, self.size)

    @property
    def unit(self) -> int:
        """Samples of a segment."""
        return int(self.unit_s * RATE)

    def to_toml(self) -> str:
        """The configuration as TOML, a line a value."""

        def text(value: Any) -> str:
            if isinstance(value, bool):
                return str(value).lower()
            return f'"{value}"' if isinstance(value, str) else repr(value)

        return "".join(f"{name} = {text(value)}\n" for name, value in asdict(self).items())


def preset(name: str) -> Config:
    """A preset. Raises UsageError for a name that is none."""
    if name not in PRESETS:
        raise UsageError(f"no preset is called {name!r}", next_step=f"there are {', '.join(PRESETS)}")
    text = (resources.files("serab_plugin_byol.pretrain") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    return changed(Config(), {"preset": name, **tomllib.loads(text)}, f"preset {name}")


def read(path: Path, base: Config) -> Config:
    """`base` with what a TOML file says. Raises UsageError for a file that is unreadable or has other names."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot be read as TOML ({error})", where=path, next_step="see the presets") from error
    return changed(base, values, str(path))


def parse_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """`key=value` words as values, read as TOML or else as text. Raises UsageError for one without `=`."""
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"--set {assignment} has no value", next_step="say --set key=value")
        try:
            values[key] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            values[key] = value
    return values


def changed(base: Config, values: Mapping[str, Any], where: str) -> Config:
    """`base` with other values. Raises UsageError for a name or a type that does not fit."""
    kinds = {field.name: type(getattr(base, field.name)) for field in fields(Config)}
    fitting = {}
    for name, value in values.items():
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=3)
            raise UsageError(
                f"{name} is no hyper-parameter", where=where, next_step=f"nearest: {', '.join(near) or 'none'}"
            )
        kind = kinds[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind:
            raise UsageError(f"{name} must be of type {kind.__name__}, not {value!r}", where=where)
        fitting[name] = value
    return replace(base, **fitting)
