"""The networks: compared with outputs of the authors' code, and batches compared with single clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from serab_plugin_byol.architecture import SIZES, architecture
from serab_plugin_byol.checkpoints import read_tensors, rename_tensors
from serab_plugin_byol.encoders import build

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
COUNTS = {
    ("audiontt", 512): 600_192,
    ("audiontt", 1024): 1_649_792,
    ("audiontt", 2048): 5_321_856,
    ("cvt", 256): 1_583_488,
    ("cvt", 512): 5_012_992,
    ("cvt", 2048): 5_012_992,
}
MEAN, DEVIATION = -2.6927330493927, 4.103071212768555


@pytest.fixture(scope="module")
def golden():
    if not GOLDEN.is_dir():
        pytest.skip("the folder shared/golden with the authors' outputs is not beside the project")
    return np.load(GOLDEN / "golden.npz")


def random_network(encoder, size):
    torch.manual_seed(0)
    network = build(architecture(encoder, size))
    for name, buffer in network.named_buffers():  # batch norms that do something
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.2)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2.0)
    return network.eval()


@pytest.mark.parametrize(("encoder", "size"), COUNTS)
def test_parameters_and_dimension(encoder, size):
    network = build(architecture(encoder, size))
    assert sum(p.numel() for p in network.parameters()) == COUNTS[encoder, size]
    assert network.dim == architecture(encoder, size).dim == size
    assert {(e, s) for e, sizes in SIZES.items() for s in sizes} == set(COUNTS)


def test_sizes_that_are_none():
    with pytest.raises(ValueError, match="audiontt has no size 300; use one of 512, 1024, 2048"):
        architecture("audiontt", 300)
    with pytest.raises(ValueError, match="unknown encoder 'vit'"):
        architecture("vit", 512)


@torch.inference_mode()
def test_cvt_gives_the_authors_outputs(golden):
    spec = architecture("cvt", 256)
    network = build(spec).eval()
    network.load_state_dict(rename_tensors(load_file(GOLDEN / "cvt256_random.safetensors"), spec))
    expected = torch.from_numpy(golden["cvt256_out"])
    for _ in range(2):
        torch.testing.assert_close(network(torch.from_numpy(golden["cvt_in"])), expected, rtol=1e-4, atol=1e-5)
        network.fold()


@torch.inference_mode()
@pytest.mark.parametrize(
    ("name", "file"),
    [("byol_s_512_win400", "byol_s_512.pth"), ("byol_a_512_win400", "AudioNTT2020-BYOLA-64x96d512.pth")],
)
def test_audiontt_gives_the_authors_embeddings(golden, name, file):
    if not (GOLDEN / file).is_file():
        pytest.skip(f"{file} is not in shared/golden: its licence does not let it be handed on")
    spec = architecture("audiontt", 512)
    network = build(spec).eval()
    network.load_state_dict(rename_tensors(read_tensors(GOLDEN / file), spec))
    for key in (key for key in golden if key.startswith("logmel_win400/")):
        mels = torch.from_numpy(golden[key])[None, None]
        expected = golden[key.replace("logmel_win400", name)]
        embedding = network((mels - MEAN) / DEVIATION)[0].numpy()
        assert np.abs(embedding - expected).max() <= 1e-3 * np.abs(expected).max(), key


@torch.inference_mode()
@pytest.mark.parametrize(("encoder", "size"), [("audiontt", 512), ("cvt", 256), ("cvt", 2048)])
@given(lengths=st.lists(st.integers(8, 150), min_size=2, max_size=5), seed=st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_clips_of_several_lengths_embed_as_alone(encoder, size, lengths, seed):
    network = random_network(encoder, size)
    torch.manual_seed(seed)
    clips = [torch.randn(1, 1, 64, length) for length in lengths]
    batch = torch.zeros(len(clips), 1, 64, max(lengths))
    for row, clip in enumerate(clips):
        batch[row, :, :, : clip.shape[-1]] = clip[0]
    together = network(batch, torch.tensor(lengths))
    alone = torch.cat([network(clip) for clip in clips])
    assert together.shape == (len(clips), size)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize(("encoder", "size"), [("audiontt", 1024), ("cvt", 512)])
def test_folding_changes_nothing(encoder, size):
    network = random_network(encoder, size)
    clip = torch.randn(2, 1, 64, 77)
    before = network(clip)
    network.fold()
    network.fold()
    torch.testing.assert_close(network(clip), before, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("frames", [4113, 8192 + 7, 12_345])
def test_long_clips_go_through_in_stretches(frames):
    network = random_network("audiontt", 512)
    clip = torch.randn(1, 1, 64, frames)
    steps, _ = network._steps(clip, None)
    torch.testing.assert_close(network(clip), steps.amax(1) + steps.mean(1), rtol=1e-5, atol=1e-6)
