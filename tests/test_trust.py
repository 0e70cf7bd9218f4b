"""What a file may not do: nothing that is read from a file is unpickled, whatever it looks like."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from serab_core.audio.decode import decode
from serab_core.data.manifest import read_manifest
from serab_core.data.source import open_sources
from serab_core.errors import SerabError
from serab_core.results.exchange import read_exchange
from serab_core.store.codec import read_json
from serab_core.store.journal import Hdf5JournalBackend
from serab_core.store.results import read_result
from serab_core.store.shards import SCHEMA, Shard, read_shard
from serab_core.tune.exported import load_export

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("serab_core", "registry", "plugins")
    for path in (ROOT / folder).rglob("*.py")
    if "tests" not in path.relative_to(ROOT).parts and ".tox" not in path.parts and "build" not in path.parts
]
FORBIDDEN = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_unpickles(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not {alias.name.partition(".")[0] for alias in node.names} & FORBIDDEN
        elif isinstance(node, ast.ImportFrom) and node.module:
            errors = {alias.name for alias in node.names} <= {"UnpicklingError"}  # what torch's own loader raises
            assert errors or node.module.partition(".")[0] not in FORBIDDEN
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            named = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called == "torch.load":
                assert named.get("weights_only") == "True", f"line {node.lineno}"
            if called in ("np.load", "numpy.load"):
                assert named.get("allow_pickle", "False") == "False", f"line {node.lineno}"
            assert named.get("trust_remote_code", "False") == "False", f"line {node.lineno}"
            assert called not in ("eval", "yaml.load"), f"line {node.lineno}"


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def bombs(mark: Path) -> list[bytes]:
    plain = pickle.dumps(Bomb(mark))
    array, archive = io.BytesIO(), io.BytesIO()
    np.save(array, np.array([Bomb(mark)], object), allow_pickle=True)
    with zipfile.ZipFile(archive, "w") as made:  # as torch.save has it
        made.writestr("archive/data.pkl", plain)
        made.writestr("archive/version", "3")
    return [plain, array.getvalue(), archive.getvalue(), pickle.dumps(Bomb(mark), 0)]


def readers(folder: Path):
    path = folder / "file"
    shard = Shard(folder / "shards", "a")

    def of_shard() -> None:
        import hashlib

        content = path.read_bytes()
        shard.folder.mkdir(exist_ok=True)
        shard.path.write_bytes(content)
        told = {"schema": SCHEMA, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        shard.manifest.write_text(json.dumps(told))
        read_shard(shard, ("a",))

    def of_archive() -> None:
        with open_sources([path]) as files:
            for file in files:
                decode(file.read(), "x")

    def of_export() -> None:
        for name in ("classifier.safetensors", "about.json", "model.safetensors"):
            (folder / name).write_bytes(path.read_bytes())
        load_export(folder)

    return [
        lambda: decode(path, "x"),
        lambda: read_manifest(path),
        lambda: read_exchange(path),
        lambda: read_result(path),
        lambda: read_json(path, "x"),
        lambda: list(Hdf5JournalBackend(path).read_logs(0)),
        of_shard,
        of_archive,
        of_export,
    ]


def test_no_reader_unpickles(tmp_path):
    mark = tmp_path / "exploded"
    pickle.loads(bombs(mark)[0])
    assert mark.exists()  # the bomb is one
    mark.rmdir()
    for number, content in enumerate(bombs(mark)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for reader in readers(folder):
            (folder / "file").write_bytes(content)
            with pytest.raises(SerabError):
                reader()
            assert not mark.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_checkpoints_do_not_either(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    checkpoints = pytest.importorskip("serab_plugin_byol.checkpoints", reason="the BYOL plugin is not installed")
    mark = tmp_path / "exploded"
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {"fc.0.weight": Bomb(mark)}}, path)
    for content in (path.read_bytes(), *bombs(mark)):
        path.write_bytes(content)
        with pytest.raises(ValueError):  # noqa: PT011  which `import_weights` turns into words
            checkpoints.read_tensors(path)
        assert not mark.exists()
