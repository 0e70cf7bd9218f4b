"""A GPU that is not here is refused before the run."""

from __future__ import annotations

import pytest

from serab_core.engine import devices
from serab_core.errors import UsageError


@pytest.mark.parametrize(
    ("count", "name", "message"),
    [
        (0, "toy+device=cuda", "toy.device=cuda: no CUDA GPU here. Next: choose the device cpu"),
        (0, "hf:./f+bf16+device=cuda:1+layer=3", "no CUDA GPU here"),
        (1, "toy+device=cuda:1", "no CUDA GPU with number 1 here; GPUs here: 1"),
    ],
)
def test_one_that_is_not_here(monkeypatch, count, name, message):
    monkeypatch.setattr(devices, "cuda_devices", lambda: count)
    with pytest.raises(UsageError, match=message):
        devices.require_devices(["other", name])


@pytest.mark.parametrize(
    ("count", "name"),
    [(0, "toy"), (0, "toy+device=cpu"), (1, "toy+device=cuda"), (2, "a+device=cuda:1+bf16"), (None, "a+device=cuda:3")],
)
def test_one_that_is_here_or_not_asked_for(monkeypatch, count, name):
    monkeypatch.setattr(devices, "cuda_devices", lambda: count)
    devices.require_devices([name])


def test_the_driver_is_asked():
    assert devices.cuda_devices() in (None, *range(64))
