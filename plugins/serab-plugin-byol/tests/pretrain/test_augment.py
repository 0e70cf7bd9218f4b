"""The augmentations, compared with NumPy code of their formulas for one clip, and with the resizing of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from serab_plugin_byol.pretrain.augment import Mixup, RandomResizedCrop, RunningNorm, standardise
from serab_plugin_byol.pretrain.augment.crop import resize_matrix

EPS = np.finfo(np.float32).eps


def batches(n: int, size: int = 5, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(rng.normal(), 1 + rng.random(), (size, 1, 8, 12)).astype(np.float32) for _ in range(n)]


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Running norm


def test_running_norm_is_the_mean_and_deviation_of_all_that_was_seen():
    norm, seen = RunningNorm(samples=1_000), []
    for batch in batches(6):
        got = norm(torch.from_numpy(batch)).numpy()
        seen.append(batch.astype(np.float64))
        everything = np.concatenate(seen)
        np.testing.assert_allclose(got, (batch - everything.mean()) / everything.std(), rtol=2e-5, atol=2e-6)


def test_running_norm_stands_still_after_its_samples():
    norm, (first, second, third) = RunningNorm(samples=7), batches(3)
    norm(torch.from_numpy(first))
    norm(torch.from_numpy(second))  # 5 seen before: still taken in
    history = np.concatenate([first, second]).astype(np.float64)
    got = norm(torch.from_numpy(third)).numpy()
    np.testing.assert_allclose(got, (third - history.mean()) / history.std(), rtol=2e-5, atol=2e-6)


def test_running_norm_goes_on_from_its_state():
    first, second = batches(2)
    norm, other = RunningNorm(100), RunningNorm(100)
    norm(torch.from_numpy(first))
    other.load(norm.state())
    assert torch.equal(other(torch.from_numpy(second)), norm(torch.from_numpy(second)))


def test_running_norm_survives_silence():
    assert torch.isfinite(RunningNorm(10)(torch.zeros(2, 1, 4, 4))).all()


def test_standardise():
    views = np.stack(batches(2))
    got = standardise(torch.from_numpy(views)).numpy()
    np.testing.assert_allclose(got, (views - views.mean()) / views.std(ddof=1), rtol=1e-5, atol=1e-6)
    assert torch.isfinite(standardise(torch.zeros(2, 3, 1, 4, 4))).all()


# Log-mixup-exp


def mixed(x, memory, shares, which):
    """Return log((1 - a) exp(x) + a exp(z) + eps) for one clip at a time."""
    out = np.empty_like(x)
    for row in range(len(x)):
        a, z = shares[row], memory[which[row]]
        out[row] = np.log((1 - a) * np.exp(x[row].astype(np.float64)) + a * np.exp(z.astype(np.float64)) + EPS)
    return out


def test_mixup_is_its_formula_with_a_first_in_first_out_memory():
    mixup, came, fifo = Mixup(ratio=0.4, memory=12), [], []
    for number, batch in enumerate(batches(6)):
        x = torch.from_numpy(batch)
        got = mixup(x, draws(number)).numpy()
        if fifo:
            same = draws(number)
            shares = 0.4 * torch.rand(5, 1, 1, 1, generator=same).numpy()[:, 0, 0, 0]
            which = torch.randint(len(fifo), (5,), generator=same).numpy()
            assert (shares < 0.4).all()
            # The memory is a ring: the place of the segment that came k-th is k modulo its size.
            ring = {(len(came) - len(fifo) + k) % 12: z for k, z in enumerate(fifo)}
            np.testing.assert_allclose(got, mixed(batch, ring, shares, which), rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(got, batch)
        mixup.remember(x)
        came += list(batch)
        fifo = came[-12:]


def test_mixup_of_a_batch_longer_than_the_memory_keeps_the_newest():
    mixup = Mixup(0.4, 3)
    x = torch.arange(5.0).reshape(5, 1, 1, 1)
    mixup.remember(x)
    assert sorted(mixup.state()["memory"].flatten().tolist()) == [2.0, 3.0, 4.0]


def test_mixup_goes_on_from_its_state():
    original, restored = Mixup(0.4, 8), Mixup(0.4, 8)
    data = [torch.from_numpy(batch) for batch in batches(5)]
    for batch in data[:3]:
        original.remember(batch)
    restored.load(original.state(), torch.device("cpu"))
    for number, batch in enumerate(data[3:]):
        assert torch.equal(original(batch, draws(number)), restored(batch, draws(number)))
        original.remember(batch)
        restored.remember(batch)


@pytest.mark.parametrize("mixup", [Mixup(0.4, 0), Mixup(0.0, 8)], ids=["no memory", "no share"])
def test_mixup_switched_off(mixup):
    x = torch.from_numpy(batches(1)[0])
    mixup.remember(x)
    torch.testing.assert_close(mixup(x, draws(0)), x)


# Random resized crop


def cubic(distance):
    """Return the cubic kernel of Keys with a = -0.75."""
    d = abs(distance)
    if d <= 1:
        return 1.25 * d**3 - 2.25 * d**2 + 1
    return -0.75 * d**3 + 3.75 * d**2 - 6 * d + 3 if d < 2 else 0.0


def resized(image, height, width):
    """Resize with the bicubic kernel, one pixel at a time: corners are aligned, and the edge is repeated outside."""
    rows, columns = image.shape
    out = np.zeros((height, width))
    for i in range(height):
        y = i * (rows - 1) / (height - 1)
        for j in range(width):
            x = j * (columns - 1) / (width - 1)
            for m in range(int(np.floor(y)) - 1, int(np.floor(y)) + 3):
                for n in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
                    value = image[min(max(m, 0), rows - 1), min(max(n, 0), columns - 1)]
                    out[i, j] += cubic(y - m) * cubic(x - n) * value
    return out


def cropped(image, top, height, left, width, canvas):
    """Put a log-mel into a larger canvas of zeros, cut a box out, and resize it to the shape of the log-mel."""
    mels, frames = image.shape
    wide = np.zeros((mels, canvas))
    wide[:, (canvas - frames) // 2 :][:, :frames] = image
    return resized(wide[top : top + height, left : left + width], mels, frames)


def boxes(n, size, room, generator, low=0.6, high=1.5):
    drawn = torch.rand(2, n, generator=generator).numpy()
    lengths = [min(int(np.float32(low + np.float32(high - low) * d) * size), room) for d in drawn[0]]
    begins = [
        min(int(d * np.float32(room - length + 1)), room - length) for d, length in zip(drawn[1], lengths, strict=True)
    ]
    return begins, lengths


@pytest.mark.parametrize("seed", range(4))
def test_crop_is_its_formula(seed):
    (x,) = batches(1, size=6, seed=seed)
    got = RandomResizedCrop(1.5, 0.6, 1.5)(torch.from_numpy(x), draws(seed)).numpy()
    same = draws(seed)
    tops, heights = boxes(6, 8, 8, same)
    lefts, widths = boxes(6, 12, 18, same)
    assert len({*zip(tops, heights, lefts, widths, strict=True)}) > 1
    for row in range(6):
        want = cropped(x[row, 0], tops[row], heights[row], lefts[row], widths[row], 18)
        np.testing.assert_allclose(got[row, 0], want, rtol=1e-4, atol=2e-5)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_resizing_is_torchs(data):
    size, out = data.draw(st.integers(2, 40)), data.draw(st.integers(2, 40))
    length = data.draw(st.integers(1, size))
    begin = data.draw(st.integers(0, size - length))
    x = torch.from_numpy(np.random.default_rng(size * out).normal(size=(3, size)).astype(np.float32))
    matrix = resize_matrix(torch.tensor([begin]), torch.tensor([length]), size, out)[0]
    piece = x[:, begin : begin + length]
    want = torch.nn.functional.interpolate(piece[None, None], size=(3, out), mode="bicubic", align_corners=True)[0, 0]
    torch.testing.assert_close(x @ matrix.T, want, rtol=1e-4, atol=1e-5)


def test_boxes_stay_within_the_canvas_and_reach_its_ends():
    crop, x = RandomResizedCrop(1.5, 0.6, 1.5), torch.zeros(20_000, 1, 1, 1)
    begins, lengths = crop._box(20_000, 96, 144, x, draws(1))
    assert int(begins.min()) == 0
    assert int((begins + lengths).max()) == 144
    assert int(lengths.min()) == 57
    assert 140 <= int(lengths.max()) <= 144
    tops, heights = crop._box(20_000, 64, 64, x, draws(2))
    assert int((tops + heights).max()) == 64
    assert int(heights.max()) == 64
    # Above a factor of 1 the height is clipped: five ninths of the draws take it whole.
    assert 0.53 < float((heights == 64).float().mean()) < 0.58


def test_a_crop_of_everything_changes_nothing():
    x = torch.from_numpy(batches(1)[0])
    torch.testing.assert_close(RandomResizedCrop(1.0, 1.0, 1.0)(x, draws(0)), x, rtol=1e-5, atol=1e-6)
