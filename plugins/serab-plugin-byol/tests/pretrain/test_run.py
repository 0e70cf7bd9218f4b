"""Runs in this process: errors, accumulated batches, bfloat16, damaged checkpoints, collapse, and packages."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from serab_plugin_byol.pretrain.checkpoint import newest
from serab_plugin_byol.pretrain.config import Config
from serab_plugin_byol.pretrain.data.segments import Segments
from serab_plugin_byol.pretrain.fit import Machine, fit, steps_of
from serab_plugin_byol.pretrain.package import write_package
from serab_plugin_byol.pretrain.run_folder import checkpoints, extractor_in
from serab_plugin_byol.pretrain.watch import Watch

from serab_core import plugins
from serab_core.errors import StoreError, UsageError, WeightsError
from serab_core.report.progress import Silent

SMALL = Config(size=512, unit_s=0.2, hidden=32, projection=16, batch=4)
CPU = Machine(accelerator="cpu", save_every=2, log_every=1)


class Notes(Silent):
    """Collects the notes of a progress display."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def segments(packed):
    return Segments([packed])


def train(folder, segments, config=SMALL, machine=CPU, steps=2, progress=None):
    return fit(folder, config, segments, machine, progress or Silent(), steps)


@pytest.fixture(scope="module")
def trained(packed, tmp_path_factory):
    """Return the folder of a run of two steps, of which tests take a copy."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder, Segments([packed]))
    return folder


@pytest.fixture
def run(trained, tmp_path):
    """Return a copy of the run of two steps."""
    return shutil.copytree(trained, tmp_path / "run")


def test_steps_of_epochs():
    assert steps_of(Config(epochs=100, batch=256), 1_963_807) == 767_113  # 100 passes without a gap between them
    assert steps_of(Config(epochs=0.5, batch=4), 12) == 2


def test_a_folder_of_another_run(segments, tmp_path):
    summary = train(tmp_path / "run", segments)
    assert summary.steps == 2
    assert summary.loss > 0
    assert "tensorflow" not in sys.modules  # TensorBoard would import it where it is installed
    with pytest.raises(UsageError, match=r"holds another run: size 512, here 1024"):
        train(tmp_path / "run", segments, Config(size=1024, unit_s=0.2, hidden=32, projection=16, batch=4))
    about = json.loads((tmp_path / "run" / "data.json").read_text())
    (tmp_path / "run" / "data.json").write_text(json.dumps({**about, "digest": "0" * 64}))
    with pytest.raises(UsageError, match="data of 12 clips, here other data"):
        train(tmp_path / "run", segments)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"schema": "serab.pretrain-data/1", "clips": 12, "seconds": 6.9}', "it lacks the field 'digest'"),
        ('{"schema": "serab.pretrain-data/1", "clips": "12", "seconds": 6.9, "digest": ""}', r"not valid at \$\.clips"),
        ('{"schema": "serab.pretrain-data/9"}', "has schema 'serab.pretrain-data/9'"),
        ("[]", "has schema None"),
        ('{"schema": ', "is not JSON"),
    ],
)
def test_a_damaged_description_of_the_data(run, segments, content, reason):
    (run / "data.json").write_text(content)
    with pytest.raises(StoreError, match=reason) as raised:
        train(run, segments)
    assert raised.value.where == str(run / "data.json")
    (run / "data.json").unlink()  # the next step of the error
    assert train(run, segments).steps == 2
    assert (run / "data.json").exists()


@pytest.mark.parametrize(("batch", "devices", "accumulate"), [(4, 3, 1), (4, 2, 2), (6, 1, 4)])
def test_a_batch_that_cannot_be_dealt(segments, tmp_path, batch, devices, accumulate):
    config = Config(size=512, unit_s=0.2, hidden=32, projection=16, batch=batch)
    with pytest.raises(UsageError, match=f"a batch of {batch} cannot be divided evenly"):
        train(tmp_path / "run", segments, config, Machine("cpu", devices=devices, accumulate=accumulate))
    assert not (tmp_path / "run").exists()


def test_accumulated_batches_and_their_resumption(segments, tmp_path):
    config = Config(size=512, unit_s=0.2, hidden=32, projection=16, batch=8)
    machine = Machine(accelerator="cpu", accumulate=2, save_every=2, log_every=1)
    train(tmp_path / "whole", segments, config, machine, steps=4)
    train(tmp_path / "halves", segments, config, machine, steps=2)
    train(tmp_path / "halves", segments, config, machine, steps=4)
    whole, resumed = (torch.load(checkpoints(tmp_path / name)[-1], weights_only=True) for name in ("whole", "halves"))
    assert whole["byol"]["next"] == 8  # batches, two a step
    assert all(torch.equal(value, resumed["state_dict"][name]) for name, value in whole["state_dict"].items())


def test_bfloat16_and_cvt(segments, tmp_path):
    config = Config(encoder="cvt", size=256, unit_s=0.2, hidden=32, projection=16, batch=4, optimiser="adamw")
    machine = Machine(accelerator="cpu", bf16=True, save_every=2, log_every=1)
    assert np.isfinite(train(tmp_path / "run", segments, config, machine).loss)
    spec = extractor_in(tmp_path / "run")
    assert (spec.dim, spec.parameters["window"]) == (256, 1024)


def test_a_damaged_checkpoint_is_set_aside(segments, tmp_path):
    folder = tmp_path / "run"
    train(folder, segments, steps=4)
    old, last = checkpoints(folder)
    content = last.read_bytes()
    for damage in (content[: len(content) // 2], b"garbage", b"\x80\x04garbage", b""):
        last.write_bytes(damage)
        assert newest(folder) == old
        assert not last.exists()
        assert last.with_suffix(".bad").read_bytes() == damage
    progress = Notes()
    train(folder, segments, steps=4, progress=progress)
    assert progress.said == ["Resuming from step 2 of 4."]
    for path in checkpoints(folder):
        path.write_bytes(b"garbage")
    with pytest.raises(StoreError, match="is damaged"):
        newest(folder)
    assert newest(tmp_path / "nothing") is None


def test_the_target_and_the_optimiser_move(segments, tmp_path):
    train(tmp_path / "run", segments, steps=3)
    checkpoint = torch.load(checkpoints(tmp_path / "run")[-1], weights_only=True)
    online, target = (
        {k.partition(f"{network}.")[2]: v for k, v in checkpoint["state_dict"].items() if f".{network}." in k}
        for network in ("online", "target")
    )
    assert online.keys() == target.keys()
    weights = [name for name in online if name.endswith("weight")]
    assert weights
    assert not any(torch.equal(online[name], target[name]) for name in weights)


def test_collapse_is_said():
    progress, logged = Notes(), {}
    watch = Watch(progress, 1, None, 1)
    module = SimpleNamespace(
        embedded=torch.ones(8, 16), loader=SimpleNamespace(waited_s=0.0), log_dict=lambda values: logged.update(values)
    )
    watch._log(module, 10)
    assert logged["deviation"] == 0
    assert logged["effective_rank"] == 1
    assert "collapsed" in progress.said[0]
    module.embedded = torch.randn(8, 16)
    watch._log(module, 20)
    assert len(progress.said) == 1


def test_a_run_without_its_weights(run):
    (run / "encoder.safetensors").write_bytes(b"other")
    with pytest.raises(WeightsError, match="differs from the file that serab-extractor.json describes"):
        extractor_in(run)
    about = json.loads((run / "serab-extractor.json").read_text())
    del about["encoder"]
    (run / "serab-extractor.json").write_text(json.dumps(about))
    with pytest.raises(StoreError, match="is incomplete.*'encoder'.*train the encoder again"):
        extractor_in(run)
    (run / "serab-extractor.json").write_text(json.dumps({**about, "encoder": "gru"}))
    with pytest.raises(StoreError, match=r"is not valid: unknown encoder 'gru'.*train the encoder again"):
        extractor_in(run)


def test_an_exported_package_builds_and_registers(run, tmp_path):
    folder = write_package(run, "my-byol", "it's mine", tmp_path / "serab-plugin-my-byol")
    declared = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert declared["entry-points"]["serab.extractors"] == {"my-byol": "serab_plugin_my_byol"}
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "-w", str(tmp_path / "wheels"), str(folder)], check=True, timeout=120)
    (wheel,) = (tmp_path / "wheels").glob("serab_plugin_my_byol-0.1.0-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    shutil.rmtree(run)  # it stands by itself
    path = tmp_path / "site" / "serab_plugin_my_byol" / "__init__.py"
    module_spec = importlib.util.spec_from_file_location("serab_plugin_my_byol", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    specs = []
    module.serab_register_extractors(specs.append)
    (spec,) = specs
    assert (spec.name, spec.dim, spec.licence) == ("my-byol", 512, "it's mine")
    extractor = spec.factory()
    extractor.use_corpus({"logmel_mean": -6.0, "logmel_deviation": 4.0})
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert np.isfinite(extractor.embed([noise])).all()


def test_folders_as_extractors(run, monkeypatch):
    monkeypatch.chdir(run.parent)
    assert plugins.extractor("./run").name == plugins.extractor("run").name == "run"
    assert plugins.extractor(str(run)).dim == 512
