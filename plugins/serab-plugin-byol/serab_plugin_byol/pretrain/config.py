"""The hyper-parameters of a pre-training, the presets, and reading and writing of TOML."""

from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from serab_core.plugin import UsageError, command, option
from serab_plugin_byol.architecture import Architecture, architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PRESETS = ("byol-s", "byol-a-2021", "byol-s-released")
RATE = 16_000  # Hz


@dataclass(frozen=True, slots=True)
class Config:
    """The hyper-parameters (arXiv:2103.06695, sections III and IV-A). The defaults are those of BYOL-A.

    Attributes:
        preset: the preset that the configuration started from.
        encoder: `audiontt` or `cvt`.
        size: length of the embedding.
        unit_s: length of a segment, in seconds.
        random_crop: whether a segment starts at a random position of its clip, or always at the beginning.
        window: window of the log-mel, in samples at 16 kHz.
        prenorm_epochs: epochs after which the running mean and deviation stay fixed.
        mixup_ratio: upper bound of the weight of the background segment in log-mixup-exp.
        mixup_memory: number of past segments that the background is drawn from.
        crop_low, crop_high: range of height and width of the random resized crop, as factors of the segment's.
        canvas: width of the crop's canvas, as a factor of the segment's.
        postnorm: whether both views together are standardised.
        hidden, projection: widths of projector and predictor.
        ema: decay of the target's moving average: the weight of its old value at each step.
        optimiser: `adam` or `adamw`.
        learning_rate, weight_decay: parameters of the optimiser.
        batch: segments per step, over all devices and accumulated batches.
        epochs: passes over the data.
        seed: seed of weights, order, crops, mixing and dropout.
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
        """Raise UsageError for values outside their range."""
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
        for text, is_fault in faults.items():
            if is_fault:
                raise UsageError(text, where="the training's configuration")
        try:
            self.architecture  # noqa: B018
        except ValueError as error:
            raise UsageError(str(error), where="the training's configuration") from error

    @property
    def architecture(self) -> Architecture:
        """The architecture of the network."""
        return architecture(self.encoder, self.size)

    @property
    def unit(self) -> int:
        """Length of a segment, in samples."""
        return int(self.unit_s * RATE)

    def to_toml(self) -> str:
        """Return the configuration as TOML, one line for each value."""

        def text(value: Any) -> str:
            if isinstance(value, bool):
                return str(value).lower()
            return f'"{value}"' if isinstance(value, str) else repr(value)

        return "".join(f"{name} = {text(value)}\n" for name, value in asdict(self).items())


def preset(name: str) -> Config:
    """Return a preset. Raises UsageError for an unknown name."""
    if name not in PRESETS:
        raise UsageError(f"unknown preset {name!r}", next_step=f"use one of {', '.join(PRESETS)}")
    text = (resources.files("serab_plugin_byol.pretrain") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    return changed(Config(), {"preset": name, **tomllib.loads(text)}, f"preset {name}")


def read(path: Path, base: Config) -> Config:
    """Return `base` with the values of a TOML file. Raises UsageError for an unreadable file or unknown names."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"cannot be read as TOML ({error})",
            where=path,
            next_step=f"write one NAME = VALUE per line; {command('pretrain presets')} lists the names",
        ) from error
    return changed(base, values, str(path))


def parse_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """Return the values of `key=value` arguments, parsed as TOML or else as text. Raises UsageError without `=`."""
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(
                f"{option('set', assignment)} has no value", next_step=f"write {option('set', 'key=value')}"
            )
        try:
            values[key] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            values[key] = value
    return values


def changed(base: Config, values: Mapping[str, Any], where: str) -> Config:
    """Return `base` with some values replaced. Raises UsageError for an unknown name or a wrong type."""
    kinds = {field.name: type(getattr(base, field.name)) for field in fields(Config)}
    fitting = {}
    for name, value in values.items():
        if name not in kinds:
            raise UsageError(
                f"unknown hyper-parameter {name}",
                where=where,
                next_step=f"{command('pretrain presets')} lists all names",
                suggestions=difflib.get_close_matches(name, kinds, n=3),
            )
        kind = kinds[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind:
            raise UsageError(f"{name} must be of type {kind.__name__}, not {value!r}", where=where)
        fitting[name] = value
    return replace(base, **fitting)
