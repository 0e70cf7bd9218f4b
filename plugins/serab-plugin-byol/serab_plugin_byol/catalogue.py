"""The published models: names, architectures and weight files. The entry points of the extractors name objects here.

This module does not import torch.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, WeightFile, hookimpl, weights_path
from serab_plugin_byol.architecture import architecture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from serab_core.plugin import Extractor, Register
    from serab_plugin_byol.architecture import Architecture, EncoderName
    from serab_plugin_byol.extractor import Settings

SERAB_API_VERSION = 1
_BYOL_A = """@inproceedings{niizumi2021byol-a,
  title     = {{BYOL} for Audio: Self-Supervised Learning for General-Purpose Audio Representation},
  author    = {Niizumi, Daisuke and Takeuchi, Daiki and Ohishi, Yasunori and Harada, Noboru and Kashino, Kunio},
  booktitle = {2021 International Joint Conference on Neural Networks (IJCNN)},
  year      = {2021}
}"""
BYOL_S = """@inproceedings{scheidwasser2022serab,
  title     = {{SERAB}: A Multi-Lingual Benchmark for Speech Emotion Recognition},
  author    = {Scheidwasser-Clow, Neil and Kegler, Mikolaj and Beckmann, Pierre and Cernak, Milos},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  pages     = {7697--7701},
  year      = {2022}
}"""
_NTT_TERMS = """These weights belong to NTT, under its "Software License Agreement for Evaluation". In our words:
  - you may use them internally, to test, analyse and evaluate what the paper describes; backup copies are allowed;
  - you may not sell, assign, lease, distribute or otherwise hand them on, nor disclose them to third parties;
  - you may not modify or reverse engineer them; on termination you destroy all copies;
  - they come without warranty; you indemnify NTT against claims from improper use; Japanese law, arbitration in Tokyo.
What counts is the whole text: https://github.com/nttcslab/byol-a/blob/master/LICENSE"""
_NTT = "NTT Software License Agreement for Evaluation (no distribution)"
_MIT = "MIT (Neclow/SERAB)"
_SERAB_URL = "https://github.com/Neclow/SERAB/raw/cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2/SERAB/checkpoints/"
_NTT_URL = "https://github.com/nttcslab/byol-a/raw/f2451c366d02be031a31967f494afdf3485a85ff/pretrained_weights/"

_FILES: dict[tuple[str, int], tuple[str, str | None, int | None]] = {
    # family, size: (published file, sha256, bytes); None where sha256 and size have not been verified
    ("byol-a", 512): (
        "AudioNTT2020-BYOLA-64x96d512.pth",
        "6cc64226318494f06ef41d7e5810be7d37abfd6490da45abdab48f188c5332e2",
        2_410_576,
    ),
    ("byol-a", 1024): ("AudioNTT2020-BYOLA-64x96d1024.pth", None, None),
    ("byol-a", 2048): ("AudioNTT2020-BYOLA-64x96d2048.pth", None, None),
    ("byol-s", 512): (
        "default512_BYOLAs64x96-2107281850-e100-bs256-lr0003-rs42.pth",
        "449f5d0dc6b6fa8433d5e43769097520d3bc0fdae88977a7ac29e2e72ca51b52",
        2_409_434,
    ),
    ("byol-s", 1024): ("default1024_BYOLAs64x96-2107292000-e100-bs256-lr0003-rs42.pth", None, None),
    ("byol-s", 2048): ("default2048_BYOLAs64x96-2105311814-e100-bs256-lr0003-rs42.pth", None, None),
    ("byol-s-cvt", 256): ("cvt_s1-d1_s2-d1_s3-d1_BYOLAs64x96-2106251634-e100-bs512-lr0003-rs42.pth", None, None),
    ("byol-s-cvt", 512): (
        "cvt_s1-d1-e64_s2-d1-e256_s3-d1-e512_BYOLAs64x96-2107021643-e100-bs512-lr0003-rs42.pth",
        None,
        None,
    ),
    ("byol-s-cvt", 2048): (
        "cvt_s1-d1-e64_s2-d1-e256_s3-d1-e512_BYOLAs64x96-2107301623-e100-bs256-lr0003-rs42.pth",
        None,
        None,
    ),
}
_SUMMARIES = {
    "byol-a": "BYOL-A: pre-trained by NTT on all of AudioSet",
    "byol-s": "BYOL-S: BYOL-A's network pre-trained on AudioSet's speech",
    "byol-s-cvt": "BYOL-S/CvT: a convolutional transformer pre-trained on AudioSet's speech",
}
OPTIONS = {
    "stats": "`stats=published`: the log-mel mean and deviation that SERAB's authors published for the task, not this "
    "copy's own",
    "window": "`window=1024`: the log-mel's window in samples; SERAB evaluates with 400, BYOL-A was trained with 1024",
    "bf16": "compute in bfloat16",
    "device": "`device=cuda`: compute on a GPU",
}


class Published:
    """A family of published models, as a plugin.

    Args:
        family: `byol-a`, `byol-s` or `byol-s-cvt`.
    """

    def __init__(self, family: str) -> None:
        self._family = family

    @hookimpl
    def serab_register_extractors(self, register: Register[ExtractorSpec]) -> None:
        """Register one extractor for each size. The name alone means the largest, which is the best in the paper."""
        for family, size in _FILES:
            if family == self._family:
                register(_published(family, size), default=size == 2048)


class Trainable(Published):
    """A family of published models, which `serab pretrain` extends."""

    @hookimpl
    def serab_make_extractor(self, argument: str) -> ExtractorSpec:
        """Return the extractor in a folder that `serab pretrain` wrote."""
        from serab_plugin_byol.pretrain.run_folder import extractor_in

        return extractor_in(Path(argument))


byol_a, byol_s, byol_s_cvt = Published("byol-a"), Trainable("byol-s"), Published("byol-s-cvt")


def spec_of(
    name: str,
    network: Architecture,
    summary: str,
    *,
    licence: str,
    citation: str,
    find: Callable[[], Path],
    weights: tuple[WeightFile, ...] = (),
    window: int = 400,
    parameters: Mapping[str, str] | None = None,
) -> ExtractorSpec:
    """Return the spec of an encoder, with its options.

    Args:
        name: the public name.
        network: the architecture.
        summary: one line.
        licence: licence of code and weights.
        citation: BibTeX.
        find: returns the path of the converted weights.
        weights: the published weight files.
        window: window of the log-mel that the encoder was trained for, in samples.
        parameters: further parameters that the embeddings depend on.
    """

    def with_settings(window: int, device: str, bf16: bool, published: bool) -> ExtractorSpec:
        values = {"window": window, "device": device, "bf16": bf16}

        def factory() -> Extractor:
            from serab_plugin_byol.extractor import Byol, Settings

            settings: Settings = Settings(window=window, device=device, bf16=bf16)
            return Byol(network, find(), settings)

        return ExtractorSpec(
            name=name,
            factory=factory,
            dim=network.dim,
            summary=summary,
            licence=licence,
            citation=citation,
            parameters={**asdict(network), "channels": list(network.channels), **values, **(parameters or {})},
            weights=weights,
            libraries=("torch",) if device == "cpu" else ("torch", "torchaudio"),
            batch_size=32,
            uses_corpus=True,
            options=OPTIONS,
            known_state=_published_pair if published else None,
        )

    def configure(options: Mapping[str, str]) -> ExtractorSpec:
        return with_settings(
            window=_window(options.get("window", str(window))),
            device=_device(options.get("device", "cpu")),
            bf16=_switch("bf16", options),
            published=_stats(options),
        )

    return replace(with_settings(window, "cpu", False, False), configure=configure)


def _published(name: str, size: int) -> ExtractorSpec:
    encoder: EncoderName = "cvt" if name == "byol-s-cvt" else "audiontt"
    network = architecture(encoder, size)
    file, sha256, length = _FILES[name, size]
    ntt = name == "byol-a"
    weight = WeightFile(
        name=f"{name}-{size}.safetensors",
        url=(_NTT_URL if ntt else _SERAB_URL) + file,
        sha256=sha256,
        size=length,
        licence=_NTT if ntt else _MIT,
        terms=_NTT_TERMS if ntt else "",
        convert=partial(_convert, network),
    )
    return spec_of(
        f"{name}/{size}",
        network,
        f"{_SUMMARIES[name]}; {size} numbers",
        licence=weight.licence,
        citation=_BYOL_A if ntt else BYOL_S,
        find=partial(weights_path, weight),
        weights=(weight,),
    )


def _convert(network: Architecture, source: Path, target: Path) -> None:
    from serab_plugin_byol.checkpoints import convert

    convert(source, target, network)


def _published_pair(task: str) -> dict[str, float]:
    from serab_core.plugin import get_dataset

    spec = get_dataset(task)
    if spec is None or spec.logmel is None:
        raise ValueError("no log-mel statistics are published for this task; leave out stats=published")
    return {"logmel_mean": spec.logmel[0], "logmel_deviation": spec.logmel[1]}


def _window(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise ValueError(f"window={text} is not valid; use a number of samples from 1 to 1024")
    return int(text)


def _device(text: str) -> str:
    kind, _, number = text.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()) or (kind == "cpu" and number):
        raise ValueError(f"device={text} is not a device; use cpu, cuda or cuda:1")
    return text


def _switch(name: str, options: Mapping[str, str]) -> bool:
    if options.get(name, ""):
        raise ValueError(f"{name} takes no value; use +{name}")
    return name in options


def _stats(options: Mapping[str, str]) -> bool:
    if options.get("stats", "own") not in ("own", "published"):
        raise ValueError(f"stats={options['stats']} is unknown; use stats=published, or leave the option out")
    return options.get("stats") == "published"
