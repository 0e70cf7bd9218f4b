"""Complete trainings as processes: killed and resumed, in several processes, and until the final extractor."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

TRAIN = ("pretrain", "byol-s", "--size", "512", "--batch", "4")
SMALL = (*TRAIN, "--set", "unit_s=0.2", "--set", "hidden=64", "--set", "projection=16", "--accelerator", "cpu")


def state(folder: Path, step: int) -> dict:
    """Return a checkpoint without the keys that depend on the time of writing."""
    return torch.load(folder / "checkpoints" / f"step-{step:08d}.ckpt", weights_only=True)


def same(first, second) -> bool:
    """Return whether two nested structures of dicts, lists, tensors and plain values are equal bit for bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    return first == second


def table(run: Path) -> list[dict[str, str]]:
    """Return the rows of the metrics of a run."""
    with (run / "logs" / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def wait_for(process, path: Path, text: str = "", seconds: float = 120) -> None:
    """Wait until a file exists and contains a text."""
    end = time.monotonic() + seconds
    while not path.exists() or (text and text not in path.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path.name} does not come"
        time.sleep(0.02)


def test_killed_and_resumed_ends_with_the_same_weights(packed, start, serab, cold, tmp_path):
    arguments = (*SMALL, "-d", packed, "--steps", 80, "--save-every", 20)
    code, out, errors = serab(*arguments, "-o", "whole", "--json", launcher=cold)
    assert code == 0, errors
    assert json.loads(out)["steps"] == 80
    process = start(*arguments, "-o", "killed")
    wait_for(process, tmp_path / "killed" / "checkpoints" / "step-00000020.ckpt")
    # The row of a step is written after its checkpoint, and a process that is killed between the two loses the row.
    wait_for(process, tmp_path / "killed" / "logs" / "metrics.csv", "\n20,")
    time.sleep(0.1)  # on to some step after 20, whose work is lost
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "checkpoints" / "step-00000080.ckpt").exists()
    code, out, errors = serab(*arguments, "-o", "killed")
    assert code == 0, errors
    assert any(f"Resuming from step {step} of 80" in errors for step in (20, 40, 60))
    whole, killed = state(tmp_path / "whole", 80), state(tmp_path / "killed", 80)
    for key in ("state_dict", "optimizer_states", "byol", "global_step"):
        assert same(whole[key], killed[key]), key
    whole, resumed = (load_file(tmp_path / name / "encoder.safetensors") for name in ("whole", "killed"))
    assert same(whole, resumed)
    # The table goes on, too: a row for every tenth step, each once, with the same losses.
    rows = [table(tmp_path / name) for name in ("whole", "killed")]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]] == [str(n) for n in range(10, 81, 10)]
    assert [row["loss"] for row in rows[0]] == [row["loss"] for row in rows[1]]
    # Nothing is left to do, and nothing is done.
    code, _, errors = serab(*arguments, "-o", "killed")
    assert (code, "Resuming from step 80 of 80" in errors) == (0, True)


RANKS = """
import os, sys
import torch
from serab_core.cli import main
from serab_plugin_byol.pretrain import module

modules = []
real = module.Pretraining.__init__
def record(self, *arguments):
    real(self, *arguments)
    modules.append(self)
module.Pretraining.__init__ = record
folder = sys.argv.pop(1)
try:
    main()
finally:
    torch.save(modules[-1].learner.state_dict(), f"{folder}/rank-{os.environ['RANK']}.pt")
"""


@pytest.fixture
def two(tmp_path):
    """Return the arguments that start two processes."""
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    return ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script), str(tmp_path))


def test_two_processes_hold_the_same_parameters(packed, serab, two, tmp_path):
    arguments = (*SMALL, "-d", packed, "--devices", 2)
    code, out, errors = serab(*arguments, "-o", "two", "--steps", 20, launcher=two)
    assert code == 0, errors
    assert out.count("next: serab eval two") == 1
    rank_0, rank_1 = (torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1))
    trained = [name for name in rank_0 if "running" not in name and "num_batches" not in name]
    assert len(trained) < len(rank_0)
    for name in trained:
        assert torch.equal(rank_0[name], rank_1[name]), name
    assert not same(rank_0, rank_1)  # each has batch norm's figures of its own share: without SyncBatchNorm they differ
    assert len(state(tmp_path / "two", 20)["byol"]["views"]) == 2
    if not os.environ.get("SERAB_LONG"):
        return
    # Stopped halfway and started again they come to the same; each goes on with its own mixing memory.
    serab(*arguments, "-o", "halves", "--steps", 10, launcher=two)
    code, _, errors = serab(*arguments, "-o", "halves", "--steps", 20, launcher=two)
    assert code == 0, errors
    whole, halves = state(tmp_path / "two", 20), state(tmp_path / "halves", 20)
    for key in ("optimizer_states", "byol"):
        assert same(whole[key], halves[key]), key
    for name in trained:
        assert torch.equal(whole["state_dict"][f"learner.{name}"], halves["state_dict"][f"learner.{name}"]), name


def test_a_run_is_an_extractor_and_becomes_a_package(packed, serab, tmp_path):
    code, _, errors = serab(*SMALL, "-d", packed, "-o", "run", "--steps", 3, "--log-every", 1, "--probe", "demo")
    assert code == 5, errors  # the probe's task is not prepared
    assert "demo" in errors
    assert serab("data", "prepare", "demo")[0] == 0
    code, _, errors = serab(*SMALL, "-d", packed, "-o", "run", "--steps", 3, "--log-every", 1, "--probe", "demo")
    assert code == 0, errors
    assert "Step 0: LDA has a validation accuracy of" in errors
    assert "Step 3: LDA has a validation accuracy of" in errors
    logged = {name for row in table(tmp_path / "run") for name, value in row.items() if value}
    assert {"loss", "deviation", "effective_rank", "steps_per_s", "waiting_share", "probe_demo"} <= logged
    assert any((tmp_path / "run" / "logs" / "tensorboard").glob("events.*"))

    code, out, errors = serab("eval", "./run", "--tasks", "demo", "--classifiers", "lda", "--json")
    assert code == 0, errors
    (result,) = json.loads(out)["results"]
    assert result["extractor"] == "run"

    arguments = ("pretrain", "export", "run", "--name", "my-byol", "--licence", "CC-BY-4.0")
    assert serab(*arguments)[0] == 0
    code, _, errors = serab(*arguments)
    assert code == 2
    assert "exists already" in errors
    for wrong in (("--name", "My Byol", "--licence", "MIT"), ("--name", "x", "--licence", 'a "b"')):
        assert serab("pretrain", "export", "run", *wrong)[0] == 2


def ended(process) -> str:
    """Return the output of a process when it ends; if it hangs, print its stack."""
    try:
        return process.communicate(timeout=120)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        return pytest.fail(process.communicate()[1])


def test_ctrl_c_ends_with_a_checkpoint_of_the_step(packed, start, serab, tmp_path):
    arguments = (*SMALL, "-d", packed, "-o", "run", "--save-every", 10)
    process = start(*arguments, "--steps", 100_000)
    wait_for(process, tmp_path / "run" / "checkpoints" / "step-00000020.ckpt")
    process.send_signal(signal.SIGINT)
    errors = ended(process)
    assert process.returncode == 130, errors
    assert "Stopping after this step" in errors
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    checkpoints = sorted((tmp_path / "run" / "checkpoints").glob("step-*.ckpt"))
    assert 1 <= len(checkpoints) <= 2
    assert not list((tmp_path / "run").rglob("*.part-*"))
    if not os.environ.get("SERAB_LONG"):  # the resumption itself is that of a killed run, above
        return
    # It goes on to the same weights as a run that nobody stopped.
    steps = int(checkpoints[-1].stem.partition("-")[2]) + 5
    assert serab(*arguments, "--steps", steps)[0] == 0
    assert serab(*SMALL, "-d", packed, "-o", "whole", "--steps", steps)[0] == 0
    stopped, whole = (load_file(tmp_path / name / "encoder.safetensors") for name in ("run", "whole"))
    assert same(stopped, whole)


def test_sigterm_ends_after_the_step(packed, start, tmp_path):
    process = start(*SMALL, "-d", packed, "-o", "run", "--steps", 100_000, "--save-every", 10)
    wait_for(process, tmp_path / "run" / "checkpoints" / "step-00000010.ckpt")
    process.send_signal(signal.SIGTERM)
    errors = ended(process)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
