"""YAMNet as a TFLite file: the real, quantised file if it is available."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from serab_plugin_tfhub.lite import Lite

from serab_core import plugins
from serab_core.audio.mel import YAMNET, log_mel
from serab_core.errors import WeightsError
from serab_core.store.weights import import_weights
from serab_core.testing import extractor_checks

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"


@pytest.fixture
def file() -> Path:
    if not (GOLDEN / "yamnet_int8.tflite").exists():
        pytest.skip("the folder shared/golden with YAMNet's TFLite file is not beside the project")
    return GOLDEN / "yamnet_int8.tflite"


def test_conforms(file, home):
    (weight,) = plugins.extractor("yamnet/lite").weights
    import_weights(home, weight, file, str(file))
    for check in extractor_checks("yamnet/lite"):
        check()


def test_the_embedding_is_what_the_classifier_sees(file):
    """The dense layer of the file gives its scores for our tensor, up to the rounding of quantised products."""
    lite = Lite(file)
    interpreter, _, taken = lite._interpreter
    details = {tuple(d["shape"]): d for d in interpreter.get_tensor_details()}
    wave = np.load(GOLDEN / "golden.npz")
    name = next(key for key in wave if key.startswith("wave/"))
    embedding = lite._embed_window(wave[name][:15_600])
    weights = (
        interpreter.get_tensor(details[521, 1024]["index"]).astype(np.float32) * details[521, 1024]["quantization"][0]
    )
    bias = interpreter.get_tensor(details[(521,)]["index"])
    (scores,) = (interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details() if d["shape"][-1] == 521)
    np.testing.assert_allclose(1 / (1 + np.exp(-(weights @ embedding + bias))), scores[0], atol=5e-3)
    assert taken["shape"][-1] == 1024


def test_its_log_mel_is_the_cores(file):
    """The second output of the file is a log-mel of 8 bits, which equals that of the core up to rounding."""
    lite = Lite(file)
    interpreter, *_ = lite._interpreter
    golden = np.load(GOLDEN / "golden.npz")
    for key in [key for key in golden if key.startswith("wave/")][:5]:
        window = np.pad(golden[key], (0, 15_600))[:15_600]
        lite._embed_window(window)
        (mels,) = (interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details() if d["shape"][-1] == 64)
        assert np.median(np.abs(mels - log_mel(window, YAMNET))) < 0.1


def test_what_is_no_such_file(home, tmp_path):
    (weight,) = plugins.extractor("yamnet/lite").weights
    for content in (b"", b"junk" * 1_000, b"<html>"):
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="cannot be loaded as a TFLite file"):
            import_weights(home, weight, path, str(path))


def test_silent(file, capfd):
    Lite(file).warm()
    assert capfd.readouterr() == ("", "")
