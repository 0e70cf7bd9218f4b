"""Weight files of both projects, with and without prefixes; and files that are not weights."""

from __future__ import annotations

import pickle
import re

import pytest
import torch
from safetensors.torch import load_file, save_file
from serab_plugin_byol.architecture import architecture
from serab_plugin_byol.checkpoints import convert, read_tensors, rename_tensors
from serab_plugin_byol.encoders import build

SMALL = architecture("audiontt", 512)
RULES = [
    (r"^blocks\.(\d)\.conv\.", lambda m: f"features.{4 * int(m[1])}."),
    (r"^blocks\.(\d)\.norm\.", lambda m: f"features.{4 * int(m[1]) + 1}."),
    (r"^head\.", lambda m: "fc."),
]


def released(tensors, prefix=""):
    file_tensors = {}
    for name, tensor in tensors.items():
        for pattern, replacement in RULES:
            name = re.sub(pattern, replacement, name)
        file_tensors[prefix + name] = tensor
    return file_tensors


@pytest.fixture
def tensors():
    torch.manual_seed(1)
    return build(SMALL).state_dict()


def same(tensors, expected):
    return tensors.keys() == expected.keys() and all(torch.equal(tensors[name], expected[name]) for name in expected)


@pytest.mark.parametrize("prefix", ["", "module.", "online_encoder.net.", "model.encoder."])
def test_prefixes_and_wrappings(tensors, tmp_path, prefix):
    for number, content in enumerate(
        [released(tensors, prefix), {"state_dict": released(tensors, prefix), "epoch": 3}]
    ):
        source, target = tmp_path / f"{number}.pth", tmp_path / f"{number}.safetensors"
        torch.save(content, source)
        convert(source, target, SMALL)
        assert same(load_file(target), tensors)
    save_file(tensors, tmp_path / "own.safetensors")
    assert same(rename_tensors(read_tensors(tmp_path / "own.safetensors"), SMALL), tensors)


def test_the_online_encoder_is_taken_not_the_target(tensors):
    torch.manual_seed(2)
    target = build(SMALL).state_dict()
    whole = released(target, "learner.target_encoder.net.") | released(tensors, "learner.online_encoder.net.")
    assert same(rename_tensors(whole, SMALL), tensors)


def test_counters_may_be_missing(tensors):
    fewer = {name: tensor for name, tensor in released(tensors).items() if "num_batches" not in name}
    assert same(rename_tensors(fewer, SMALL), tensors)


class Bomb:
    def __reduce__(self):
        return print, ("boom",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html>", "holds no weights"),
        (b"", "holds no weights"),
        (pickle.dumps({"features.0.weight": Bomb()}, protocol=2), "holds no weights"),
    ],
)
def test_what_is_no_weight_file(tmp_path, capsys, content, message):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_tensors(path)
    assert "boom" not in capsys.readouterr().out


def test_other_contents(tensors, tmp_path):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds a list"):
        read_tensors(tmp_path / "list.pth")
    with pytest.raises(ValueError, match="another size"):
        rename_tensors(released(tensors), architecture("audiontt", 1024))
    with pytest.raises(ValueError, match="are missing"):
        rename_tensors(released(tensors), architecture("cvt", 256))
    del tensors["head.3.bias"]
    with pytest.raises(ValueError, match=re.escape("1 of 25 tensors are missing, the first is head.3.bias")):
        rename_tensors(released(tensors), SMALL)
