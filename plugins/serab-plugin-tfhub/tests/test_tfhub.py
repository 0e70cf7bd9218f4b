"""The three hub models through the real loading code, with small models of the same signatures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from serab_plugin_tfhub.framing import PATCH_SAMPLES, drawn
from serab_plugin_tfhub.serve import start

from serab_core import plugins
from serab_core.audio.mel import YAMNET, log_mel_patches
from serab_core.audio.mel.patches import YAMNET_PATCHES
from serab_core.errors import WeightsError
from serab_core.store.home import find_home
from serab_core.store.weights import import_weights, weights_path
from serab_core.testing import extractor_checks

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
NAMES = {
    "vggish": 128, "vggish/released": 128, "yamnet": 1024, "yamnet/paper": 1024, "trill": 12288,
    "trill/released": 12288,
}  # fmt: skip


def noise(*samples: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal(n)).astype(np.float32) for n in samples]


def bring_in(home, models, name: str) -> None:
    (weight,) = plugins.extractor(name).weights
    import_weights(home, weight, models / name, str(models / name))


@pytest.fixture(scope="module")
def filled(models, tmp_path_factory):
    """Return a home with all three models; the import runs each of them once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERAB_HOME", str(tmp_path_factory.mktemp("filled")))
        home = find_home().ensure()
        for name in ("vggish", "yamnet", "trill"):
            bring_in(home, models, name)
    return home


@pytest.fixture(scope="module")
def extractors(filled):
    """Return the extractors that tests have made, by name; each starts TensorFlow once for all tests."""
    made = {}
    yield made
    for extractor in made.values():
        if "_process" in vars(extractor):
            extractor._process.close()


@pytest.fixture
def make_extractor(filled, extractors, monkeypatch):
    """`make_extractor(name)` returns an extractor with its small model."""
    monkeypatch.setenv("SERAB_HOME", str(filled.root))

    def make(name: str):
        if name not in extractors:
            extractors[name] = plugins.extractor(name).factory()
        return extractors[name]

    return make


@pytest.mark.parametrize("name", NAMES)
def test_declared(name):
    spec = plugins.extractor(name)
    assert (spec.dim, spec.sample_rate, spec.licence) == (NAMES[name], 16_000, "Apache-2.0")
    (weight,) = spec.weights
    assert weight.url.startswith("https://tfhub.dev/google/")
    assert weight.mirrors[0].startswith("https://www.kaggle.com/")


def test_nothing_heavy_is_imported_to_list_them():
    script = "import sys; from serab_core import plugins; plugins.extractor('yamnet'); plugins.extractor('yamnet/lite')"
    script += (
        "; sys.exit(any(name in sys.modules for name in ('tensorflow', 'tensorflow_hub', 'torch', 'ai_edge_litert')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("name", ["vggish", "yamnet/paper", "trill"])
def test_conforms(name, filled, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(filled.root))
    for check in extractor_checks(name):
        # The siblings differ in what they compute, not in how they start; SERAB_LONG=1 runs every check of each.
        short = check.id in ("extractor-shape", "extractor-finite", "extractor-batch-independent")
        if name == "vggish" or short or os.environ.get("SERAB_LONG"):
            check()
    assert "tensorflow" not in sys.modules


def test_yamnet_frames_what_it_is_given_itself(make_extractor):
    """The hub model frames a whole clip into windows every 0.48 s, and pads the last one with silence."""
    (clip,) = noise(40_000)
    extractor = make_extractor("yamnet")
    windows = [
        np.pad(clip, (0, 7_680))[begin : begin + PATCH_SAMPLES][None] for begin in (0, 7_680, 15_360, 23_040, 30_720)
    ]
    windows[-1] = np.pad(windows[-1], ((0, 0), (0, PATCH_SAMPLES - windows[-1].shape[1])))
    want = np.mean([extractor._process.embed([window])[0] for window in windows], axis=0)
    np.testing.assert_allclose(extractor.embed([clip])[0], want, rtol=1e-4, atol=1e-4)


def test_the_cores_log_mel_feeds_a_network_of_yamnets_shape(models):
    """Log-mels of the core give the same network output as those of the front end in TensorFlow, for golden clips."""
    if not (GOLDEN / "golden.npz").exists():
        pytest.skip("the folder shared/golden with other programs' outputs is not beside the project")
    torch = pytest.importorskip("torch")
    weights, golden = np.load(models / "heard.npz"), np.load(GOLDEN / "golden.npz")
    kernel = torch.from_numpy(weights["kernel"].transpose(3, 2, 0, 1).copy())
    process = start("yamnet", models / "heard", 1)
    for key in [key for key in golden if key.startswith("wave/")]:
        patches = torch.from_numpy(log_mel_patches(golden[key], YAMNET, YAMNET_PATCHES).copy())
        maps = torch.relu(torch.nn.functional.conv2d(patches[:, None], kernel, stride=2))
        ours = (maps.mean(dim=(2, 3)).numpy() @ weights["dense"]).mean(axis=0)
        theirs = process.embed([golden[key][None]])[0]
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3, err_msg=key)
    process.close()


def test_windows_one_behind_the_other(make_extractor):
    """VGGish frames a clip into windows every 0.96 s, and drops the rest."""
    (clip,) = noise(15_360 * 2 + 300)
    extractor = make_extractor("vggish")
    want = np.mean([extractor._process.embed([clip[None, b : b + PATCH_SAMPLES]])[0] for b in (0, 15_360)], axis=0)
    np.testing.assert_allclose(extractor.embed([clip])[0], want, rtol=1e-4, atol=1e-4)
    assert len(extractor._framed(clip)) == 1
    assert make_extractor("trill")._framed(clip).shape == (2, PATCH_SAMPLES)


def test_short_clips(make_extractor):
    (clip,) = noise(1_000)
    centred, released = make_extractor("vggish"), make_extractor("vggish/released")
    np.testing.assert_array_equal(centred._framed(clip)[0], np.pad(clip, (7_500, 7_500)))
    placed = released._framed(clip)[0]
    assert len(placed) == 16_000
    begin = int(np.flatnonzero(placed)[0])
    np.testing.assert_array_equal(placed[begin : begin + 1_000], clip)
    np.testing.assert_array_equal(drawn(clip), drawn(clip))
    assert begin != 7_500
    assert centred.embed([clip]).shape == (1, 128)


def test_a_batch_is_its_clips(make_extractor):
    clips = noise(16_000, 5_000, 90_000, 31_111)
    extractor = make_extractor("trill")
    np.testing.assert_array_equal(extractor.embed(clips), np.concatenate([extractor.embed([clip]) for clip in clips]))


def test_a_tar_and_a_nested_one(home, models, tmp_path):
    (weight,) = plugins.extractor("vggish").weights
    for number, prefix in enumerate(("", "vggish_1/")):
        path = tmp_path / f"{number}.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            tar.add(models / "vggish", prefix or ".")
        import_weights(home, weight, path, str(path), replace=True)
        assert (weights_path(weight) / "saved_model.pb").exists()
    assert not list((home.weights).glob(".*"))


def test_what_is_no_such_model(home, models, tmp_path):
    (weight,) = plugins.extractor("vggish").weights
    torn = tmp_path / "torn.tar.gz"
    with tarfile.open(torn, "w:gz") as tar:
        tar.add(models / "vggish", ".")
    torn.write_bytes(torn.read_bytes()[:2_000])
    empty = tmp_path / "empty.tar"
    with tarfile.open(empty, "w") as tar:
        tar.add(__file__, "readme.txt")
    outside = tmp_path / "outside.tar"
    with tarfile.open(outside, "w") as tar:
        tar.add(__file__, "../../outside.txt")
    page = tmp_path / "page.html"
    page.write_text("<html>log in</html>")
    for path, message in (
        (torn, "cannot be unpacked as a tar archive"),
        (empty, "holds no saved_model.pb"),
        (outside, "cannot be unpacked as a tar archive"),
        (page, "cannot be unpacked as a tar archive"),
        (models / "yamnet", "it cannot be run as vggish|it returns embeddings of"),
    ):
        with pytest.raises(WeightsError, match=message):
            import_weights(home, weight, path, str(path))
        assert not (home.weights / weight.name).exists()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"junk")
    with pytest.raises(WeightsError, match="it cannot be run as vggish"):
        import_weights(home, weight, broken, str(broken))


def test_a_changed_folder_is_noticed(home, filled):
    shutil.copytree(filled.weights, home.weights, dirs_exist_ok=True)
    (weight,) = plugins.extractor("vggish").weights
    assert weights_path(weight).is_relative_to(home.weights)
    with (weights_path(weight) / "saved_model.pb").open("ab") as file:
        file.write(b"x")
    with pytest.raises(WeightsError, match="has changed since it was imported"):
        weights_path(weight)


def test_a_process_that_dies_says_so(models):
    process = start("vggish", models / "vggish", 1)
    process._child.kill()
    with pytest.raises(RuntimeError, match="TensorFlow's process died"):
        process.embed(noise(16_000)[0][None, None])
    process.close()


def test_all_of_them_run_on_demo(filled):
    """Evaluate one extractor of each family; with SERAB_LONG=1 all of them."""
    names = list(NAMES) if os.environ.get("SERAB_LONG") else ["yamnet/paper", "trill"]
    arguments = [
        "-c",
        "from serab_core.cli import main; main()",
        "eval",
        *names,
        "--tasks",
        "demo",
        "-c",
        "lda",
        "--json",
    ]
    environment = {**os.environ, "SERAB_HOME": str(filled.root)}
    completed = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert completed.returncode == 0, completed.stderr
    results = {result["extractor"]: result for result in json.loads(completed.stdout)["results"]}
    assert list(results) == names
    assert all(result["accuracy"] > 0.2 for result in results.values())
    assert "tensorflow" not in completed.stderr.lower()
