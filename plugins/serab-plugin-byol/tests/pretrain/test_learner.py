"""The learner: loss, moving average, and gradients averaged over several processes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.distributed
import torch.multiprocessing
from serab_plugin_byol.pretrain.config import Config
from serab_plugin_byol.pretrain.learner import Learner, similarity_loss
from serab_plugin_byol.pretrain.watch import deviation, effective_rank
from torch import nn
from torch.nn.parallel import DistributedDataParallel

SMALL = Config(encoder="audiontt", size=512, hidden=32, projection=16)


def learner(config: Config = SMALL) -> Learner:
    torch.manual_seed(0)
    return Learner(config)


def views(n: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(2, n, 1, 64, 16, generator=torch.Generator().manual_seed(seed))


def test_loss_is_its_formula():
    rng = np.random.default_rng(0)
    p, z = rng.normal(size=(2, 7, 16))
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(p, z, strict=True)]
    got = similarity_loss(torch.from_numpy(p), torch.from_numpy(z))
    assert float(got) == pytest.approx(np.mean([2 - 2 * cosine for cosine in cosines]), rel=1e-5)


def test_loss_of_both_directions():
    model, (first, second) = learner().eval(), views(4)
    loss, embedded = model(torch.stack([first, second]))
    with torch.no_grad():
        first_loss = similarity_loss(model.predictor(model.online(first)), model.target(second))
        second_loss = similarity_loss(model.predictor(model.online(second)), model.target(first))
        torch.testing.assert_close(embedded, model.encoder(first))
    torch.testing.assert_close(loss.detach(), first_loss + second_loss)
    swapped, _ = model(torch.stack([second, first]))
    torch.testing.assert_close(loss, swapped)


def test_the_target_gets_no_gradient_and_starts_as_a_copy():
    model = learner()
    for target, online in zip(model.target.parameters(), model.online.parameters(), strict=True):
        assert torch.equal(target, online)
        assert target is not online
    model(views(4))[0].backward()
    assert all(parameter.grad is None for parameter in model.target.parameters())
    assert all(parameter.grad is not None for parameter in model.online.parameters())


def test_the_target_follows_slowly_in_its_parameters_alone():
    model = learner()
    model(views(4))
    with torch.no_grad():
        for parameter in model.online.parameters():
            parameter.add_(1.0)
    earlier = copy.deepcopy(model.target)
    model.update_target()
    for before, target, online in zip(
        earlier.parameters(), model.target.parameters(), model.online.parameters(), strict=True
    ):
        torch.testing.assert_close(target, 0.99 * before + 0.01 * online, rtol=1e-5, atol=1e-6)
    for before, target in zip(earlier.buffers(), model.target.buffers(), strict=True):
        assert torch.equal(before, target)


def frozen(model: Learner) -> Learner:
    """Use running statistics in batch norms and no dropout: the result then does not depend on the batches."""
    model.train()
    for module in model.modules():
        if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.Dropout)):
            module.eval()
    return model


def _gradients(rank: int, world: int, address: str, out: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=world)
    wrapped = DistributedDataParallel(frozen(learner()))
    wrapped(views(8)[:, rank::world].contiguous())[0].backward()
    if rank == 0:
        torch.save([p.grad for p in wrapped.parameters() if p.requires_grad], out)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_processes_average_to_the_gradient_of_the_joined_batch(tmp_path):
    address, out = f"file://{tmp_path / 'meet'}", str(tmp_path / "gradients.pt")
    torch.multiprocessing.spawn(_gradients, (2, address, out), nprocs=2)
    together = frozen(learner())
    together(views(8))[0].backward()
    want = [p.grad for p in together.parameters() if p.requires_grad]
    for got, expected in zip(torch.load(out, weights_only=True), want, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)


def test_deviation_and_effective_rank():
    generator = torch.Generator().manual_seed(0)
    even = torch.randn(4_000, 64, generator=generator)
    assert deviation(even) == pytest.approx(1.0, abs=0.02)
    assert deviation(torch.ones(10, 64)) == pytest.approx(0.0, abs=1e-6)
    assert effective_rank(even) == pytest.approx(64, rel=0.02)
    three = torch.randn(500, 3, generator=generator) @ torch.linalg.qr(torch.randn(64, 3, generator=generator))[0].T
    assert effective_rank(three) == pytest.approx(3, rel=0.01)
    assert effective_rank(torch.ones(10, 64)) == 1.0
