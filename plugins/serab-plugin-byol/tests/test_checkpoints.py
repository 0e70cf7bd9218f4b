"""Weight files of either project, as they are and with prefixes; and files that are none."""

from __future__ import annotations

import pickle
import re

import pytest
import torch
from safetensors.torch import load_file, save_file
from serab_plugin_byol.architecture import architecture
from serab_plugin_byol.checkpoints import convert, own_names, read_tensors
from serab_plugin_byol.encoders import build

SMALL = architecture("audiontt", 512)
RULES = [
    (r"^blocks\.(\d)\.conv\.", lambda m: f"features.{4 * int(m[1])}."),
    (r"^blocks\.(\d)\.norm\.", lambda m: f"features.{4 * int(m[1]) + 1}."),
    (r"^head\.", lambda m: "fc."),
]


def released(tensors, prefix=""):
    found = {}
    for name, tensor in tensors.items():
        for pattern, replacement in RULES:
            name = re.sub(pattern, replacement, name)
        found[prefix + name] = tensor
    return found


@pytest.fixture
def tensors():
    torch.manual_seed(1)
    return build(SMALL).state_dict()


def same(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


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
    assert same(own_names(read_tensors(tmp_path / "own.safetensors"), SMALL), tensors)


def test_the_online_encoder_is_taken_not_the_target(tensors):
    torch.manual_seed(2)
    target = build(SMALL).state_dict()
    whole = released(target, "learner.target_encoder.net.") | released(tensors, "learner.online_encoder.net.")
    assert same(own_names(whole, SMALL), tensors)


def test_counters_may_be_missing(tensors):
    fewer = {name: tensor for name, tensor in released(tensors).items() if "num_batches" not in name}
    assert same(own_names(fewer, SMALL), tensors)


class Bomb:
    def __reduce__(self):
        return print, ("boom",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>", "holds no weights"),
        (b"", "holds no weights"),
        (pickle.dumps({"features.0.weight": Bomb()}, protocol=2), "holds no weights"),
    ],
)
def test_what_is_no_weight_file(tmp_path, capsys, content, words):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_tensors(path)
    assert "boom" not in capsys.readouterr().out


def test_other_contents(tensors, tmp_path):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds list"):
        read_tensors(tmp_path / "list.pth")
    with pytest.raises(ValueError, match="another size"):
        own_names(released(tensors), architecture("audiontt", 1024))
    with pytest.raises(ValueError, match="are missing"):
        own_names(released(tensors), architecture("cvt", 256))
    del tensors["head.3.bias"]
    with pytest.raises(ValueError, match=re.escape("1 of 25 tensors are missing, head.3.bias first")):
        own_names(released(tensors), SMALL)
