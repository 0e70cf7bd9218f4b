"""VGGish, YAMNet and TRILL: their files, framings and specs. All entry points name this module.

It does not import TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, WeightFile, hookimpl, weights_path

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.plugin import Extractor, Register

SERAB_API_VERSION = 1
_APACHE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Model:
    """A model on TensorFlow Hub.

    Attributes:
        name: `vggish`, `yamnet` or `trill`.
        handle: path of the model on tfhub.dev.
        kaggle: path of the model on Kaggle, which hosts the models of TensorFlow Hub now.
        dim: length of an embedding.
        citation: BibTeX.
    """

    name: str
    handle: str
    kaggle: str
    dim: int
    citation: str

    @property
    def weights(self) -> WeightFile:
        """The weight file: the SavedModel of the model."""
        return WeightFile(
            name=f"tfhub-{self.name}",
            url=f"https://tfhub.dev/{self.handle}?tf-hub-format=compressed",
            mirrors=(f"https://www.kaggle.com/api/v1/models/{self.kaggle}/download",),
            licence=_APACHE,
            convert=partial(_unpack, self),
            folder=True,
            title=f"{self.handle} (a SavedModel, packed as tar.gz)",
        )


VGGISH = Model(
    "vggish", "google/vggish/1", "google/vggish/tensorFlow2/vggish/1", 128,
    """@inproceedings{hershey2017cnn,
  title     = {{CNN} architectures for large-scale audio classification},
  author    = {Hershey, Shawn and others},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  pages     = {131--135},
  year      = {2017}
}""",
)  # fmt: skip
YAMNET = Model(
    "yamnet", "google/yamnet/1", "google/yamnet/tensorFlow2/yamnet/1", 1024,
    """@misc{plakal2020yamnet,
  title  = {{YAMNet}},
  author = {Plakal, Manoj and Ellis, Dan},
  note   = {https://github.com/tensorflow/models/tree/master/research/audioset/yamnet},
  year   = {2020}
}""",
)  # fmt: skip
TRILL = Model(
    "trill", "google/nonsemantic-speech-benchmark/trill/3", "google/nonsemantic-speech-benchmark/tensorFlow2/trill/3",
    12_288,
    """@inproceedings{shor2020trill,
  title     = {Towards Learning a Universal Non-Semantic Representation of Speech},
  author    = {Shor, Joel and Jansen, Aren and Maor, Ronnie and Lang, Oran and Tuval, Omry and others},
  booktitle = {Interspeech},
  pages     = {140--144},
  year      = {2020}
}""",
)  # fmt: skip


def spec_of(name: str, model: Model, framing: str, summary: str) -> ExtractorSpec:
    """Return the spec of a model with one framing.

    Args:
        name: the public name.
        model: the model.
        framing: a key of `framing.FRAMINGS`.
        summary: one line.
    """
    weights = model.weights

    def factory() -> Extractor:
        from serab_plugin_tfhub.extractor import Hub

        return Hub(model.name, weights_path(weights), framing, model.dim)

    return ExtractorSpec(
        name=name,
        factory=factory,
        dim=model.dim,
        summary=summary,
        licence=_APACHE,
        citation=model.citation,
        parameters={"model": model.handle, "framing": framing, "pooling": "mean over frames"},
        weights=(weights,),
        libraries=("tensorflow",),
        batch_size=16,
    )


def _unpack(model: Model, source: Path, target: Path) -> None:
    from serab_plugin_tfhub.saved_model import check, unpack

    unpack(source, target)
    check(target, model.name, model.dim)


def lite_weights() -> WeightFile:
    """Return the weight file of YAMNet in TFLite format."""
    return WeightFile(
        name="yamnet-lite.tflite",
        url="https://tfhub.dev/google/lite-model/yamnet/tflite/1?lite-format=tflite",
        mirrors=("https://www.kaggle.com/api/v1/models/google/yamnet/tfLite/tflite/1/download",),
        licence=_APACHE,
        convert=_checked_lite,
        title="google/lite-model/yamnet/tflite/1 (a TFLite file)",
    )


def lite_spec() -> ExtractorSpec:
    """Return the spec of YAMNet in TFLite format."""
    weights = lite_weights()

    def factory() -> Extractor:
        from serab_plugin_tfhub.lite import Lite

        return Lite(weights_path(weights))

    return ExtractorSpec(
        name="yamnet/lite",
        factory=factory,
        dim=YAMNET.dim,
        summary="YAMNet as a TFLite file, 0.96 s every 0.48 s, mean over frames; 1024 numbers",
        licence=_APACHE,
        citation=YAMNET.citation,
        parameters={"model": "yamnet, TFLite", "framing": "yamnet", "pooling": "mean over frames"},
        weights=(weights,),
        libraries=("ai-edge-litert",),
        batch_size=16,
    )


def _checked_lite(source: Path, target: Path) -> None:
    from serab_plugin_tfhub.lite import Lite

    Lite(source).warm()  # raises ValueError
    target.write_bytes(source.read_bytes())


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register TRILL (arXiv:2002.12764), VGGish (arXiv:1609.09430), YAMNet and their variants."""
    for name, model, framing, summary in (
        ("trill", TRILL, "windows", "TRILL's layer 19 from TensorFlow Hub, mean over 0.96 s windows; 12288 numbers"),
        ("trill/released", TRILL, "whole", "TRILL on whole clips, framed by itself, as SERAB released it"),
        ("vggish", VGGISH, "centred", "VGGish from TensorFlow Hub, mean over 0.96 s frames; 128 numbers"),
        ("vggish/released", VGGISH, "drawn", "VGGish with clips under 1 s placed at random, as SERAB released it"),
        ("yamnet", YAMNET, "whole", "YAMNet from TensorFlow Hub, 0.96 s every 0.48 s, mean over frames; 1024 numbers"),
        ("yamnet/paper", YAMNET, "windows", "YAMNet on consecutive windows of 0.96 s, as in SERAB's paper"),
    ):
        register(spec_of(name, model, framing, summary))
    register(lite_spec())
