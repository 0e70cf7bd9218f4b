"""HEAR modules as extractors: with PyTorch, with TensorFlow, with neither, and broken modules."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from serab_plugin_hear import documents
from serab_plugin_hear import model_info as module_of_info
from serab_plugin_hear.model_info import model_info

from serab_core import plugins
from serab_core.documents import documents_in
from serab_core.embed.fingerprint import fingerprint, fingerprint_digest
from serab_core.errors import UsageError, WeightsError
from serab_core.store.home import find_home
from serab_core.system.session import current_session
from serab_core.testing import extractor_checks
from tests.documents import check_document, check_published

TORCH = """
import torch

class Model(torch.nn.Module):
    sample_rate = 16_000
    scene_embedding_size = 6
    timestamp_embedding_size = 6

    def __init__(self, scale):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(scale))
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, audio):
        powers = [audio.abs().pow(p).mean(dim=1) for p in (1, 2, 3, 4, 5)]
        slope = audio.diff(dim=1, prepend=audio[:, :1]).abs().mean(dim=1)
        return self.drop(torch.stack([*powers, slope], 1)) * self.scale

def load_model(path=""):
    print("chatter")
    return Model(float(open(path).read()) if path else 1.0)

def get_timestamp_embeddings(audio, model):
    halves = torch.stack([model(part) for part in audio.tensor_split(2, dim=1)], 1)
    return halves, torch.zeros(len(audio), 2)

def get_scene_embeddings(audio, model):
    assert isinstance(audio, torch.Tensor) and audio.dtype == torch.float32 and not torch.is_grad_enabled()
    return model(audio)
"""
TENSORFLOW = """
import tensorflow as tf

class Model(tf.Module):
    sample_rate = 22_050
    scene_embedding_size = 2
    timestamp_embedding_size = 2

def load_model(path=""):
    return Model()

def get_scene_embeddings(audio, model):
    assert tf.is_tensor(audio)
    return tf.stack([tf.reduce_mean(tf.abs(audio), 1), tf.reduce_max(audio, 1)], 1)
"""
STAMPS = """
import numpy as np

class Model:
    sample_rate = 16_000
    timestamp_embedding_size = 1

def load_model():
    return Model()

def get_timestamp_embeddings(audio, model):
    cut = audio[:, : audio.shape[1] // 10 * 10].reshape(len(audio), 10, -1)
    return cut.mean(axis=2)[..., None], np.arange(10.0)[None].repeat(len(audio), 0)
"""
COMPANY = (
    STAMPS
    + """
Model.scene_embedding_size = 1

def get_scene_embeddings(audio, model):
    return (audio - audio.mean()).max(axis=1, keepdims=True)
"""
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    current_session().close()
    yield
    current_session().close()


@pytest.fixture
def make_extractor(tmp_path):
    """`make_extractor(code, weights)` writes a module, and returns its spec and an extractor."""
    extractors = []

    def make(code: str, weights: str = "", name: str = "mine.py"):
        (tmp_path / name).write_text(code)
        spec = plugins.extractor(f"hear:./{name}{weights}")
        extractors.append(spec.factory())
        return spec, extractors[-1]

    yield make
    for extractor in extractors:
        extractor._process.close()


def noise(*samples: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-0.5, 0.5, n).astype(np.float32) for n in samples]


def test_a_torch_module(make_extractor, tmp_path):
    (tmp_path / "two.txt").write_text("2.0")
    spec, extractor = make_extractor(TORCH, "=two.txt")
    assert (spec.dim, spec.sample_rate, spec.libraries) == (6, 16_000, ("torch",))
    assert spec.name == f"hear:{tmp_path / 'mine.py'}={tmp_path / 'two.txt'}"
    clips = noise(16_000, 8_000, 16_000, 777)
    got = extractor.embed(clips)
    for row, clip in zip(got, clips, strict=True):
        np.testing.assert_allclose(row[:2], [2 * np.abs(clip).mean(), 2 * (clip**2).mean()], rtol=1e-5)
        np.testing.assert_allclose(row, extractor.embed([clip])[0], rtol=1e-5, atol=1e-7)
    _, single = make_extractor(TORCH)
    np.testing.assert_allclose(single.embed(clips), got / 2, rtol=1e-6)
    assert "chatter" not in json.dumps(dict(spec.parameters))


def test_it_conforms(tmp_path):
    (tmp_path / "mine.py").write_text(TORCH)
    for check in extractor_checks("hear:./mine.py"):
        check()


def test_a_tensorflow_module(make_extractor):
    if importlib.util.find_spec("tensorflow") is None:  # it must not be imported here, beside torch
        pytest.skip("TensorFlow is not installed")
    spec, extractor = make_extractor(TENSORFLOW)
    assert (spec.dim, spec.sample_rate, spec.libraries) == (2, 22_050, ("tensorflow",))
    clips = noise(9_000, 9_000, 100)
    want = [[np.abs(clip).mean(), clip.max()] for clip in clips]
    np.testing.assert_allclose(extractor.embed(clips), want, rtol=1e-5)


def test_time_stamps_where_there_are_no_scenes(make_extractor):
    spec, extractor = make_extractor(STAMPS)
    assert "mean of time stamps" in spec.summary
    (clip,) = noise(1_000)
    np.testing.assert_allclose(extractor.embed([clip]), [[clip.mean()]], rtol=1e-4, atol=1e-7)


def test_a_model_that_embeds_differently_in_company_gets_one_at_a_time(make_extractor):
    spec, extractor = make_extractor(COMPANY)
    assert "one clip at a time" in spec.summary
    clips = noise(1_000, 1_000, 1_000)
    np.testing.assert_allclose(extractor.embed(clips), np.concatenate([extractor.embed([clip]) for clip in clips]))


def test_a_module_by_name(make_extractor, tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("raise RuntimeError('imported too early')")
    (tmp_path / "pack2").mkdir()
    (tmp_path / "pack2" / "__init__.py").write_text("")
    (tmp_path / "pack2" / "inner.py").write_text(STAMPS)
    spec = plugins.extractor("hear:pack2.inner")
    assert spec.dim == 1
    assert "pack2" not in sys.modules
    with pytest.raises(UsageError, match="imported too early"):
        plugins.extractor("hear:pack")


def test_a_file_called_like_an_installed_module_is_meant_only_as_a_path(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "baseline.py").write_text(STAMPS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline" / "clip.wav").write_bytes(b"")  # no module
    assert plugins.extractor("hear:baseline").dim == 1
    (tmp_path / "baseline.py").write_text("raise RuntimeError('imported')")
    with pytest.raises(UsageError, match=r"two modules are called baseline: .*site.*Next: .*hear:\./baseline\.py"):
        plugins.extractor("hear:baseline")
    with pytest.raises(UsageError, match="imported"):
        plugins.extractor("hear:./baseline.py")


def test_the_sources_of_an_installed_package_are_no_other_package(tmp_path, monkeypatch):
    for folder in (tmp_path / "site" / "baselines", tmp_path / "baselines"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "inner.py").write_text(STAMPS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert plugins.extractor("hear:baselines.inner").dim == 1
    (tmp_path / "baselines" / "json.py").write_text("")
    with pytest.raises(UsageError, match="for the module here install it, pip install -e"):
        plugins.extractor("hear:baselines.inner")


@pytest.mark.parametrize("name", ["./mine.py", "mine"])
def test_a_file_called_like_a_module_of_the_library_is_not_imported(tmp_path, name):
    (tmp_path / "mine.py").write_text(STAMPS + "\nimport fractions, helper\n")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "fractions.py").write_text("raise RuntimeError('imported')")
    assert plugins.extractor(f"hear:{name}").dim == 1


def test_what_it_is_changes_with_code_and_weights(make_extractor, tmp_path):
    code = STAMPS.replace("def load_model():", "def load_model(path):")
    (tmp_path / "a.txt").write_text("1.0")
    first, _ = make_extractor(code, "=a.txt")
    (tmp_path / "a.txt").write_text("3.0")
    second, _ = make_extractor(code, "=a.txt")
    third, _ = make_extractor(code + "\n# changed\n", "=a.txt")
    assert len({json.dumps(dict(spec.parameters), sort_keys=True) for spec in (first, second, third)}) == 3


def test_records_match_the_published_schema(tmp_path):
    known = documents_in(documents)
    check_published(known, known)
    (tmp_path / "mine.py").write_text(STAMPS)
    model_info("./mine.py")
    (record,) = (find_home().weights / "hear").glob("*.json")
    check_document(json.loads(record.read_text()), "serab.hear-module/2", known)


def test_a_damaged_record_is_computed_again(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(STAMPS)
    info = model_info("./mine.py")
    (record,) = (find_home().weights / "hear").glob("*.json")
    intact, start, starts = record.read_bytes(), module_of_info.start, []
    monkeypatch.setattr(module_of_info, "start", lambda *names: starts.append(names) or start(*names))
    assert model_info("./mine.py") == info
    assert starts == []
    document = json.loads(intact)
    damaged = [{**document, "dim": 0}, {**document, "files": None}, {**document, "schema": "serab.hear-module/1"}, []]
    for content in (b"", intact[:-9], *(json.dumps(each).encode() for each in damaged)):
        record.write_bytes(content)
        assert model_info("./mine.py") == info
        assert record.read_bytes() == intact
    assert len(starts) == 6


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "it has no load_model"),
        ("def load_model(): return 1", "neither get_scene_embeddings nor get_timestamp_embeddings"),
        (STAMPS.replace("sample_rate = 16_000", "pass"), "its model has no sample_rate"),
        (STAMPS.replace("import numpy as np", "import serab_no_such_library"), "No module named"),
        (STAMPS.replace("return Model()", "raise OSError('no weights')"), "no weights"),
        ("def (", "SyntaxError"),
        (STAMPS.replace("return Model()", "import os; os._exit(9)"), "process died"),
    ],
)
def test_what_has_not_the_api(tmp_path, code, message):
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(UsageError, match=message):
        plugins.extractor("hear:./mine.py")


def test_what_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="no module has the name serab_no_such"):
        plugins.extractor("hear:serab_no_such.thing")
    with pytest.raises(UsageError, match=r"gone\.py: does not exist"):
        plugins.extractor("hear:./gone.py")
    (tmp_path / "mine.py").write_text(TORCH)
    with pytest.raises(WeightsError, match="does not exist"):
        plugins.extractor("hear:./mine.py=gone.pt")


def test_a_shape_that_was_not_declared(make_extractor):
    _, extractor = make_extractor(STAMPS.replace("timestamp_embedding_size = 1", "timestamp_embedding_size = 2"))
    with pytest.raises(RuntimeError, match=r"returns shape \(1, 1\) for 1 clips, and declares 2"):
        extractor.embed(noise(1_000))


HIDDEN = TORCH.replace(
    "    return Model(float(open(path).read()) if path else 1.0)",
    """    class Holder:
        __slots__ = ("net",)
        sample_rate = 16_000
        scene_embedding_size = timestamp_embedding_size = 6
    holder = Holder()
    holder.net = [{"inner": Model(1.0)}]
    return holder""",
).replace("    return model(audio)\n", "    return model.net[0]['inner'](audio)\n")
GLOBAL = HIDDEN.replace("holder.net = [{", "global NETS; NETS = [{").replace("model.net[0]", "NETS[0]")
LATE = (
    STAMPS.replace("import numpy as np", "import torch\nimport functools").replace(
        "    cut =",
        "    return built()(torch.ones(len(audio), 4, 1)), 0\n    cut =",
    )
    + "\n@functools.cache\ndef built():\n    return torch.nn.Dropout(0.5)\n"
)


@pytest.mark.parametrize("code", [HIDDEN, GLOBAL, LATE], ids=["plain-object", "global", "built-at-the-first-call"])
def test_networks_in_training_mode_are_found_and_switched(make_extractor, code):
    _, extractor = make_extractor(code)
    clips = noise(2_000, 2_000)
    np.testing.assert_array_equal(extractor.embed(clips), extractor.embed(clips))
    assert (extractor.embed(clips) != 0).all()  # dropout sets numbers to zero


RANDOM = {
    "dropout-in-a-function": TORCH.replace("self.drop(", "torch.nn.functional.dropout("),
    "training-mode-by-the-module": TORCH.replace(
        "    return model(audio)\n", "    model.train()\n    return model(audio)\n"
    ),
    "noise": STAMPS.replace("cut.mean(axis=2)", "(cut.mean(axis=2) + np.random.standard_normal())"),
    "state": STAMPS.replace("class Model:", "class Model:\n    calls = 0").replace(
        "    cut =", "    model.calls += 1\n    audio = audio * model.calls\n    cut ="
    ),
}


@pytest.mark.parametrize("kind", RANDOM)
def test_random_embeddings_are_refused(tmp_path, kind):
    (tmp_path / "mine.py").write_text(RANDOM[kind])
    with pytest.raises(UsageError, match="gives one clip two different embeddings") as raised:
        plugins.extractor("hear:./mine.py")
    assert "call eval() on the network in load_model" in raised.value.next_step
    assert raised.value.where == f"hear:{tmp_path / 'mine.py'}"


def test_bfloat16_and_reused_memory(make_extractor):
    _, extractor = make_extractor(
        TORCH.replace("    return model(audio)\n", "    return model(audio).to(torch.bfloat16)\n")
    )
    (clip,) = noise(4_000)
    np.testing.assert_allclose(extractor.embed([clip])[0, 0], np.abs(clip).mean(), rtol=1e-2)
    code = COMPANY.replace("return (audio - audio.mean()).max", "BUFFER[:] = (audio - audio.mean()).max").replace(
        "(axis=1, keepdims=True)", "()\n    return BUFFER"
    )
    _, extractor = make_extractor(code + "\nBUFFER = np.zeros((1, 1), np.float32)\n", name="reused.py")
    clips = noise(1_000, 1_000)
    np.testing.assert_allclose(extractor.embed(clips)[:, 0], [(clip - clip.mean()).max() for clip in clips], rtol=1e-6)


HELPED = (
    "from {package}net import *\nimport numpy as np, pathlib\n"
    "SCALE = float(pathlib.Path(__file__).with_name({file!r}).read_text())\n"
    + (STAMPS.replace("cut.mean(axis=2)", "(SCALE * change(cut).mean(axis=2))"))
)


@pytest.mark.parametrize(
    ("name", "file"), [("./mine.py", "mine.py"), ("pack.inner", "pack/inner.py"), ("alone", "alone.py")]
)
def test_a_changed_helper_or_settings_file_is_another_extractor(tmp_path, name, file):
    folder = (tmp_path / file).parent
    folder.mkdir(exist_ok=True)
    if folder != tmp_path:
        (folder / "__init__.py").write_text("")
    (folder / "scale.txt").write_text("1.0")
    (folder / "unused.py").write_text("x = 1")
    (folder / "net.py").write_text("def change(x):\n    return x\n")
    (tmp_path / file).write_text(HELPED.format(package="." if folder != tmp_path else "", file="scale.txt"))
    (clip,) = noise(1_000)

    def look() -> tuple[str, float]:
        spec = plugins.extractor(f"hear:{name}")
        extractor = spec.factory()
        value = float(extractor.embed([clip])[0, 0])
        extractor._process.close()
        return fingerprint_digest(spec), value

    first = look()
    (folder / "unused.py").write_text("x = 2")
    assert look() == first
    (folder / "net.py").write_text("def change(x):\n    return 2 * x\n")
    second = look()
    (folder / "scale.txt").write_text("5.0")
    third = look()
    assert len({digest for digest, _ in (first, second, third)}) == 3
    np.testing.assert_allclose([second[1], third[1]], [2 * first[1], 10 * first[1]], rtol=1e-5)


def test_every_file_of_a_weights_folder_counts(make_extractor, tmp_path):
    (tmp_path / "weights" / "deep").mkdir(parents=True)
    (tmp_path / "weights" / "deep" / "a.txt").write_text("1.0")
    code = STAMPS.replace("def load_model():", "def load_model(path):")
    first, _ = make_extractor(code, "=weights")
    (tmp_path / "weights" / "deep" / "a.txt").write_text("2.0")
    second, _ = make_extractor(code, "=weights")
    assert fingerprint_digest(first) != fingerprint_digest(second)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a git-lfs pointer"),
        (b"", "is empty"),
        (b"PK\x03\x04 the beginning of a zip", "is truncated after"),
        (b"<!DOCTYPE html><html>", "is a web page"),
    ],
)
def test_damaged_weights_are_named(tmp_path, content, reason):
    (tmp_path / "mine.py").write_text(TORCH)
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as raised:
        plugins.extractor("hear:./mine.py=net.pt")
    assert raised.value.where == str(tmp_path / "net.pt")


def test_advice_is_for_the_author_of_the_module(tmp_path):
    assert "author" not in plugins.advice("hear:./mine.py")
    assert "hear:./mine.py" in plugins.advice("hear:./mine.py")


def serab(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from serab_core.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=300, check=False
    )


def test_one_file_named_by_several_paths_is_one_extractor(tmp_path, monkeypatch):
    """One relative path in two folders names two extractors."""
    texts = {}
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mine.py").write_text(STAMPS if name == "a" else f"{STAMPS}\n\nOTHER = 1\n")
        (tmp_path / f"link-{name}").symlink_to(folder)
        specs = [plugins.extractor(f"hear:{path}") for path in (folder / "mine.py", f"./{name}/../link-{name}/mine.py")]
        monkeypatch.chdir(folder)
        specs.append(plugins.extractor("hear:./mine.py"))
        specs.append(plugins.extractor("hear:mine.py"))
        monkeypatch.chdir(tmp_path)
        assert {spec.name for spec in specs} == {f"hear:{folder / 'mine.py'}"}
        (texts[name],) = {json.dumps(fingerprint(spec), sort_keys=True) for spec in specs}
    assert texts["a"] != texts["b"]


def test_from_the_command_line(tmp_path):
    (tmp_path / "mine.py").write_text(TORCH)
    completed = serab("eval", "hear:./mine.py", "--tasks", "demo", "-c", "lda", "--json", folder=tmp_path)
    assert completed.returncode == 0, completed.stderr
    assert json.loads(completed.stdout)["results"][0]["extractor"] == f"hear:{tmp_path / 'mine.py'}"
    completed = serab("eval", "hear:gone", "--tasks", "demo", folder=tmp_path)
    assert (completed.returncode, completed.stdout) == (2, "")
