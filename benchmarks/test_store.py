"""Writing and reading shards of 2,048 utterances with 2,048 numbers each, against plain npy and HDF5 files.

tox run -e bench -- benchmarks/test_store.py

A shard is an atomic write, flushed to the disk; it has one checksum inside and one outside, and reading verifies both.
The peers do none of this, except `npy, flushed`, which flushes and renames.
"""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from serab_core.store.shards import Shard, read_shard, write_shard

ROWS, DIM, BLOCK = 2048, 2048, 32
WAYS = ("serab", "npy, flushed", "npy", "h5py")


def shard_of(folder, number):
    return Shard(folder, f"{number:032x}")


def names_of(number):
    return tuple(f"{number:032x}{row:032x}" for row in range(BLOCK))


def write(way, folder, values):
    for number in range(ROWS // BLOCK):
        block = values[number * BLOCK : (number + 1) * BLOCK]
        if way == "serab":
            write_shard(shard_of(folder, number), block, names_of(number), {})
        elif way == "h5py":
            with h5py.File(folder / f"{number}.h5", "w") as file:
                file["embeddings"] = block
        else:
            path = folder / f"{number}.npy"
            with path.with_suffix(".part").open("wb") as file:
                np.save(file, block)
                if way != "npy":
                    file.flush()
                    os.fsync(file.fileno())
            path.with_suffix(".part").replace(path)


def read(way, folder):
    for number in range(ROWS // BLOCK):
        if way == "serab":
            read_shard(shard_of(folder, number), names_of(number))
        elif way == "h5py":
            with h5py.File(folder / f"{number}.h5") as file:
                file["embeddings"][...]
        else:
            np.load(folder / f"{number}.npy")


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)


@pytest.mark.benchmark(group=f"writing {ROWS // BLOCK} blocks of {BLOCK} x {DIM}")
@pytest.mark.parametrize("way", WAYS)
def test_write(benchmark, way, values, tmp_path):
    benchmark.pedantic(write, args=(way, tmp_path, values), rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group=f"reading {ROWS // BLOCK} blocks of {BLOCK} x {DIM}")
@pytest.mark.parametrize("way", WAYS)
def test_read(benchmark, way, values, tmp_path):
    write(way, tmp_path, values)
    benchmark.pedantic(read, args=(way, tmp_path), rounds=7, warmup_rounds=1)
