"""Folders of models: incomplete, damaged, changed, with code that would have to run, and as users save them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from serab_plugin_transformers import documents, inspection

from serab_core import plugins
from serab_core.documents import documents_in
from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.errors import SerabError, UsageError, WeightsError
from serab_core.isolation.messages import DiedError
from serab_core.store.home import find_home
from tests.documents import check_document, check_published

CLIP = (0.1 * np.sin(np.arange(8_000) / 7)).astype(np.float32)


def changed(tmp_path: Path, name: str = "wav2vec2", change=None) -> str:
    """Return the name of a copy of a model, after `change` was applied to its tensors."""
    folder = tmp_path / "copy"
    shutil.copytree(name, folder, dirs_exist_ok=True)
    if change is not None:
        tensors = change(load_file(folder / "model.safetensors"))
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return f"hf:{folder}"


def embedded(name: str) -> np.ndarray:
    return plugins.extractor(name).factory().embed([CLIP])


def without(part: str):
    return lambda tensors: {key: value for key, value in tensors.items() if part not in key}


def reshaped(part: str):
    return lambda tensors: {key: torch.zeros(16, 3) if part in key else value for key, value in tensors.items()}


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("wav2vec2", without("encoder.layers."), "lack 48 of the model's weights (encoder.layers.0."),
        ("wavlm", without("layers.2.attention.k_proj.bias"), "lack 1 of the model's weights (encoder.layers.2.att"),
        ("whisper", without("encoder.conv1"), "lack 2 of the model's weights (encoder.conv1"),
        ("ast", without("embeddings.cls_token"), "lack 1 of the model's weights (embeddings.cls_token)"),
        ("wav2vec2-bert", without("feature_projection"), "of the model's weights (feature_projection."),
        ("hubert", lambda tensors: {f"x.{key}": value for key, value in tensors.items()}, "of the model's weights"),
        ("wav2vec2", reshaped("feature_projection.projection.weight"), "is (16, 3), and should be (16, 8)"),
    ],
)
def test_missing_and_misshapen_weights_are_no_random_numbers(tmp_path, name, change, reason):
    with pytest.raises(WeightsError) as raised:
        embedded(changed(tmp_path, name, change))
    assert reason in raised.value.what
    assert raised.value.where == f"hf:{tmp_path / 'copy'}"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("wav2vec2", without("masked_spec_embed")),
        ("whisper", without("decoder.")),
        ("wav2vec2-bert", without("num_batches_tracked")),
        ("wav2vec2", lambda tensors: {f"wav2vec2.{key}": value for key, value in tensors.items()}),
        ("wav2vec2", lambda tensors: tensors | {"lm_head.weight": torch.zeros(2, 16)}),
        (
            "wav2vec2",
            lambda tensors: {
                key.replace("parametrizations.weight.original0", "weight_g").replace(
                    "parametrizations.weight.original1", "weight_v"
                ): value
                for key, value in tensors.items()
            },
        ),
    ],
)
def test_weights_that_no_embedding_depends_on_may_be_missing(tmp_path, name, change):
    np.testing.assert_allclose(
        embedded(changed(tmp_path, name, change)), embedded(f"hf:./{name}"), rtol=1e-6, atol=1e-7
    )


def test_missing_weights_are_refused_before_the_run(tmp_path):
    """The whole command refuses them, with workers and a separate process that reads the weights."""
    arguments = ["eval", changed(tmp_path, "wav2vec2", without("encoder.layers.")), "--tasks", "demo", "--jobs", "2"]
    script = f"from serab_core.cli import main; import sys; sys.argv[1:] = {arguments!r}; main()"
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert completed.returncode == WeightsError.exit_code, completed.stderr
    assert "lack 48 of the model's weights" in " ".join(completed.stderr.split())
    assert "raised" not in completed.stderr


class InThisProcess:
    """Replaces the process that loads a model, because its start takes seconds."""

    asked: ClassVar[list[str]] = []

    def __init__(self, *given: object) -> None:
        pass

    def ask(self, header):
        self.asked.append(header["folder"])
        inspection._load(header, (), ())

    def close(self) -> None:
        pass


def test_a_model_is_checked_once_and_again_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "Process", InThisProcess)
    monkeypatch.setattr(InThisProcess, "asked", [])
    name = changed(tmp_path, "hubert")
    plugins.extractor(name).preflight()
    plugins.extractor(f"{name}+layer=1").preflight()
    assert len(InThisProcess.asked) == 1
    changed(tmp_path, "hubert", without("encoder.layers.1"))
    for _ in range(2):  # a refusal is not remembered
        with pytest.raises(WeightsError, match=r"encoder\.layers\.1\."):
            plugins.extractor(name).preflight()
    assert len(InThisProcess.asked) == 3


def test_records_match_the_published_schema(monkeypatch):
    monkeypatch.setattr(inspection, "Process", InThisProcess)
    known = documents_in(documents)
    check_published(known, known)
    plugins.extractor("hf:./hubert").preflight()
    (record,) = (find_home().weights / "hf").glob("*.json")
    check_document(json.loads(record.read_text()), "serab.hf-model/1", known)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema": "serab.hf-model/1"}', b'{"schema": "serab.pace/1"}']
)
def test_a_model_with_a_damaged_record_is_checked_again(monkeypatch, content):
    monkeypatch.setattr(inspection, "Process", InThisProcess)
    monkeypatch.setattr(InThisProcess, "asked", [])
    plugins.extractor("hf:./hubert").preflight()
    (record,) = (find_home().weights / "hf").glob("*.json")
    intact = record.read_bytes()
    for _ in range(2):
        record.write_bytes(content)
        plugins.extractor("hf:./hubert").preflight()
        assert record.read_bytes() == intact
    assert len(InThisProcess.asked) == 3


def test_a_process_that_dies_while_it_loads_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(InThisProcess, "ask", lambda self, header: (_ for _ in ()).throw(DiedError("SIGKILL")))
    monkeypatch.setattr(inspection, "Process", InThisProcess)
    with pytest.raises(WeightsError, match=r"cannot be loaded \(SIGKILL\).*too little memory"):
        plugins.extractor(changed(tmp_path, "hubert")).preflight()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def in_shards(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    for number, keys in enumerate((names[::2], names[1::2])):
        save_file({key: tensors[key] for key in keys}, folder / f"part{number}.safetensors", {"format": "pt"})
    index = {key: f"part{position % 2}.safetensors" for position, key in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


def missing_shard(folder: Path) -> None:
    in_shards(folder)
    (folder / "part1.safetensors").unlink()


def cut_shard(folder: Path) -> None:
    in_shards(folder)
    shortened(folder / "part1.safetensors")


def cut_zip(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    shortened(folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("damage", "file", "reason"),
    [
        (lambda folder: shortened(folder / "model.safetensors"), "model.safetensors", "is truncated after"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"123"),
            "model.safetensors",
            "truncated after 3",
        ),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "model.safetensors", "is empty"),
        (lambda folder: (folder / "model.safetensors").write_bytes(POINTER), "model.safetensors", "git-lfs pointer"),
        (lambda folder: (folder / "config.json").write_bytes(POINTER), "config.json", "git-lfs pointer"),
        (lambda folder: (folder / "model.safetensors").write_text("<!DOCTYPE html>"), "model.safetensors", "web page"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 500),
            "model.safetensors",
            "is not a safetensors file",
        ),
        (lambda folder: (folder / "model.safetensors").unlink(), "", "holds no model.safetensors"),
        (lambda folder: (folder / "adapter_config.json").write_text("{}"), "", "holds an adapter"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "", "holds no preprocessor_config.json"),
        (missing_shard, "part1.safetensors", "is missing; model.safetensors.index.json names it"),
        (cut_shard, "part1.safetensors", "is truncated after"),
        (cut_zip, "pytorch_model.bin", "is truncated after"),
    ],
)
@pytest.mark.parametrize("name", ["wav2vec2", "whisper", "ast"])
def test_damaged_files_are_named_before_the_run(tmp_path, name, damage, file, reason):
    argument = changed(tmp_path, name)
    damage(tmp_path / "copy")
    with pytest.raises(WeightsError) as raised:
        plugins.extractor(argument).preflight()
    assert reason in raised.value.what
    assert raised.value.where.removeprefix("hf:") == str(tmp_path / "copy" / file).rstrip("/")
    assert raised.value.next_step


def test_weights_in_shards_are_loaded(tmp_path):
    name = changed(tmp_path)
    in_shards(tmp_path / "copy")
    np.testing.assert_allclose(embedded(name), embedded("hf:./wav2vec2"), rtol=1e-6)


def test_a_checkpoint_inside_a_folder_is_pointed_out(tmp_path):
    shutil.copytree("wav2vec2", tmp_path / "run" / "checkpoint-500")
    with pytest.raises(UsageError, match=r"holds no config\.json.*checkpoint-500"):
        plugins.extractor(f"hf:{tmp_path / 'run'}")
    with pytest.raises(UsageError, match="is not a folder"):
        plugins.extractor(f"hf:{tmp_path / 'gone'}")


ATTACK = """
from pathlib import Path
Path("{target}").write_text("code of the repository ran")
from transformers import PretrainedConfig, PreTrainedModel, Wav2Vec2FeatureExtractor as Front
class Config(PretrainedConfig):
    model_type = "unheard-of"
class Model(PreTrainedModel):
    config_class = Config
"""


def test_code_of_a_repository_is_never_run(tmp_path, monkeypatch):
    """It is not run after a question to the user, and not for the feature extractor alone."""
    target = tmp_path / "ran"
    for part in ("config", "front"):
        folder = tmp_path / part
        shutil.copytree("wav2vec2", folder)
        file = folder / ("config.json" if part == "config" else "preprocessor_config.json")
        content = json.loads(file.read_text())
        if part == "config":
            content |= {"model_type": "unheard-of", "auto_map": {"AutoConfig": "x.Config", "AutoModel": "x.Model"}}
        else:
            content |= {"feature_extractor_type": "Front", "auto_map": {"AutoFeatureExtractor": "x.Front"}}
        file.write_text(json.dumps(content))
        (folder / "x.py").write_text(ATTACK.format(target=target))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 100))
    for part in ("config", "front"):
        with pytest.raises(UsageError, match=r"needs code from its own repository \(x\.py\), which serab never runs"):
            embedded(f"hf:{tmp_path / part}")
    assert not target.exists()


def test_code_beside_a_model_that_transformers_implements_is_left_alone(tmp_path):
    name = changed(tmp_path)
    file = tmp_path / "copy" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"auto_map": {"AutoModel": "x.Model"}}))
    np.testing.assert_array_equal(embedded(name), embedded("hf:./wav2vec2"))


def test_a_type_that_transformers_does_not_know(tmp_path):
    name = changed(tmp_path)
    file = tmp_path / "copy" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_type": "wav2vec9"}))
    with pytest.raises(UsageError, match="'wav2vec9', which transformers .* does not know"):
        embedded(name)


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [("preprocessor_config.json", "do_normalize", False), ("config.json", "layer_norm_eps", 0.5)],
)
def test_a_changed_configuration_is_another_extractor(tmp_path, file, key, value):
    name = changed(tmp_path)
    before, numbers = fingerprint_digest(plugins.extractor(name)), embedded(name)
    path = tmp_path / "copy" / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    assert fingerprint_digest(plugins.extractor(name)) != before
    assert not np.allclose(embedded(name), numbers)


def tokenizer(folder: Path) -> transformers.Wav2Vec2CTCTokenizer:
    (folder / "vocab.json").write_text(json.dumps({"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "A": 5}))
    return transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))


def save_processor(folder: Path, model, front) -> None:
    model.save_pretrained(folder)
    transformers.Wav2Vec2Processor(front, tokenizer(folder)).save_pretrained(folder)


def save_front_end(folder: Path, model, front) -> None:
    model.save_pretrained(folder)
    front.save_pretrained(folder)


def save_trainer(folder: Path, model, front) -> None:
    """Save like transformers.Trainer, which needs a library that is not installed."""
    save_front_end(folder, model, front)
    torch.save({}, folder / "training_args.bin")
    (folder / "trainer_state.json").write_text("{}")
    save_front_end(folder / "checkpoint-500", model, front)


@pytest.mark.parametrize("save", [save_processor, save_front_end, save_trainer])
def test_what_users_save_is_scored(tmp_path, save):
    """Score a fine-tuned classifier; the embeddings equal those of the library."""
    torch.manual_seed(0)
    folder = tmp_path / "saved"
    folder.mkdir()
    model = transformers.Wav2Vec2ForSequenceClassification.from_pretrained("wav2vec2").eval()
    front = transformers.Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=False)
    save(folder, model, front)
    with torch.no_grad():
        inputs = front(CLIP, sampling_rate=16_000, return_tensors="pt").input_values
        expected = model(inputs, output_hidden_states=True).hidden_states[-1][0].mean(0).numpy()
    np.testing.assert_allclose(embedded(f"hf:{folder}")[0], expected, rtol=1e-4, atol=1e-5)


def test_the_front_end_of_a_whisper_processor(tmp_path):
    shutil.copytree("whisper", tmp_path, dirs_exist_ok=True)
    front = transformers.WhisperFeatureExtractor.from_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    (tmp_path / "processor_config.json").write_text(
        json.dumps({"processor_class": "WhisperProcessor", "feature_extractor": front.to_dict()}, default=str)
    )
    np.testing.assert_array_equal(embedded(f"hf:{tmp_path}"), embedded("hf:./whisper"))


def test_the_hub_is_asked_for_the_processors_configuration(tmp_path, monkeypatch):
    import huggingface_hub

    shutil.copytree("hubert", tmp_path / "snapshot")
    front = json.loads((tmp_path / "snapshot" / "preprocessor_config.json").read_text())
    (tmp_path / "snapshot" / "preprocessor_config.json").unlink()
    (tmp_path / "snapshot" / "processor_config.json").write_text(json.dumps({"feature_extractor": front}))
    asked = []

    def download(repository, *, allow_patterns, **more):
        asked.append(tuple(allow_patterns))
        return str(tmp_path / "snapshot")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert plugins.extractor("hf:lab/tiny").sample_rate == 16_000
    assert all("processor_config.json" in patterns for patterns in asked)


def test_errors_name_the_next_step():
    with pytest.raises(SerabError) as raised:
        plugins.extractor("hf:./nowhere")
    assert raised.value.next_step
