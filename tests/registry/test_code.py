"""The digest of a plugin's code: every file that computes counts, and nothing else does."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import types
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serab_registry import (
    Group,
    PluginRecord,
    PluginState,
    Registry,
    UnreadableCodeError,
    code_identity,
    file_digest,
    module_digest,
)

from tests.conftest import install


@pytest.fixture
def project(tmp_path, monkeypatch):
    """`write(name, text)` writes a file of a project whose folder is on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str | bytes) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        importlib.invalidate_caches()

    return write


def test_every_file_of_a_package_counts(project):
    project("pkg_a/__init__.py", "from . import net\n")
    project("pkg_a/net.py", "SCALE = 1\n")
    project("pkg_a/data/table.json", "[1]")
    seen = {module_digest("pkg_a")}
    for name, text in (
        ("pkg_a/net.py", "SCALE = 2\n"),
        ("pkg_a/data/table.json", "[2]"),
        ("pkg_a/lazy.py", "x = 1\n"),
        ("pkg_a/__init__.py", "from . import net, lazy\n"),
    ):
        project(name, text)
        seen.add(module_digest("pkg_a.net:thing"))
    assert len(seen) == 5
    before = module_digest("pkg_a")
    for name in ("pkg_a/__pycache__/net.pyc", "pkg_a/.net.py.swp", "pkg_a/net.py~", "other.py", "notes.txt"):
        project(name, "x")
    assert module_digest("pkg_a") == before


def test_what_is_imported_from_beside_it_counts(project):
    project("plug_b.py", "def embed():\n    from helper_b import scale\n    return scale\n")
    project("helper_b.py", "from deep_b.one import scale\n")
    project("deep_b/__init__.py", "")
    project("deep_b/one.py", "scale = 1\n")
    project("late_b.py", "x = 1\n")
    project("stranger_b.py", "x = 1\n")
    before = module_digest("plug_b")
    project("stranger_b.py", "x = 2\n")
    assert module_digest("plug_b") == before
    project("deep_b/one.py", "scale = 2\n")
    changed = module_digest("plug_b")
    assert changed != before
    project("plug_b.py", "import importlib\ndef embed():\n    return importlib.import_module('late_b').x\n")
    loaded = module_digest("plug_b")
    project("late_b.py", "x = 2\n")
    assert module_digest("plug_b") not in (loaded, changed)


def test_in_a_shared_folder_only_files_of_the_own_distribution_count(project, tmp_path):
    project("plug_c.py", "import helper_c, numpyish_c\n")
    project("helper_c.py", "x = 1\n")
    project("numpyish_c.py", "x = 1\n")
    install(tmp_path, "plug-c", "1.0", "")
    record = tmp_path / "plug_c-1.0.dist-info" / "RECORD"
    record.write_text("plug_c.py,,\nhelper_c.py,,\n")
    before = module_digest("plug_c", "plug-c")
    project("numpyish_c.py", "x = 2\n")
    assert module_digest("plug_c", "plug-c") == before
    project("helper_c.py", "x = 2\n")
    assert module_digest("plug_c", "plug-c") != before


def test_without_a_record_what_no_other_distribution_lists_counts(project, tmp_path):
    project("plug_r.py", "import helper_r, numpyish_r\n")
    project("helper_r.py", "x = 1\n")
    project("numpyish_r.py", "x = 1\n")
    install(tmp_path, "plug-r", "1.0", "")
    install(tmp_path, "numpyish-r", "1.0", "")
    (tmp_path / "numpyish_r-1.0.dist-info" / "RECORD").write_text("numpyish_r.py,,\n")
    before = module_digest("plug_r", "plug-r")
    project("numpyish_r.py", "x = 2\n")
    assert module_digest("plug_r", "plug-r") == before
    project("helper_r.py", "x = 2\n")
    assert module_digest("plug_r", "plug-r") != before


def test_a_wheel_and_an_editable_install_of_it_agree(project, tmp_path, monkeypatch):
    for root in ("src/", "site/"):
        project(f"{root}pkg_d/__init__.py", "import beside_d\n")
        project(f"{root}beside_d.py", "x = 1\n")
    install(tmp_path / "site", "pkg-d", "1.0", "")
    (tmp_path / "site" / "pkg_d-1.0.dist-info" / "RECORD").write_text("pkg_d/__init__.py,,\nbeside_d.py,,\n")
    found = set()
    for root in ("src", "site"):
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / root))
            importlib.invalidate_caches()
            found.add(module_digest("pkg_d", "pkg-d"))
    assert len(found) == 1


def test_a_file_that_does_not_parse_or_a_module_that_is_not_there(project):
    project("broken_e.py", "def (:\n")
    assert module_digest("broken_e")
    assert module_digest("nowhere_e") == ""
    record = PluginRecord(Group.EXTRACTORS, "x", "nowhere_e", "dist", "1", PluginState.FOUND)
    assert (code_identity(record).distribution, code_identity(record).digest) == ("dist", "")


@pytest.mark.skipif(os.name != "posix", reason="rights and pipes are POSIX's")
def test_what_cannot_be_read_is_refused_and_a_pipe_is_not_opened(project, tmp_path, monkeypatch):
    """A file that is left out of the digest could change without notice."""
    project("pkg_u/__init__.py", "")
    project("pkg_u/data/weights.bin", b"1")
    os.mkfifo(tmp_path / "pkg_u" / "pipe")
    before = module_digest("pkg_u")
    secret = tmp_path / "pkg_u" / "data" / "weights.bin"
    record = PluginRecord(Group.EXTRACTORS, "u", "pkg_u:x", "dist-u", "1.0", PluginState.FOUND)
    real_open, real_scandir = Path.open, os.scandir

    def opened(path, *args, **named):
        if path == secret:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_open(path, *args, **named)

    def listed(folder):
        if Path(folder) == secret.parent:
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return real_scandir(folder)

    for module, name, refuse in ((Path, "open", opened), (os, "scandir", listed)):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, refuse)
            with pytest.raises(PermissionError):
                module_digest("pkg_u")
            with pytest.raises(UnreadableCodeError, match=r"extractor 'u' .*data.* cannot be read \(permission denied"):
                Registry(types.ModuleType("none")).code(record)
    assert module_digest("pkg_u") == before


def test_a_file_by_its_path(tmp_path):
    (tmp_path / "model.py").write_text("from net import scale\n")
    (tmp_path / "net.py").write_text("scale = 1\n")
    before = file_digest(tmp_path / "model.py")
    (tmp_path / "net.py").write_text("scale = 2\n")
    assert file_digest(tmp_path / "model.py") != before


FILES = {
    "fuzzed_plugin/__init__.py": "from .net import scale\nimport fuzzed_helper\n\n\ndef value():\n"
    "    from .late import shift\n    return (scale, shift, fuzzed_helper.gain, fuzzed_helper.table())\n",
    "fuzzed_plugin/net.py": "scale = 3\n",
    "fuzzed_plugin/late.py": "shift = 5\n",
    "fuzzed_helper.py": "from pathlib import Path\ngain = 7\n\n\ndef table():\n"
    "    return (Path(__file__).parent / 'fuzzed_plugin' / 'table.txt').read_text()\n",
    "fuzzed_plugin/table.txt": "11",
}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FILES)), st.integers(0, 200), st.sampled_from("0123456789 \n#x"))
def test_no_edit_changes_the_numbers_and_leaves_the_digest(project, name, place, letter):
    """A random letter in a random file: if the plugin computes something else, its digest is another."""

    def state():
        for module in [module for module in sys.modules if module.startswith("fuzzed_")]:
            del sys.modules[module]
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            value = importlib.import_module("fuzzed_plugin").value()
        except Exception as error:
            value = repr(error)
        finally:
            sys.dont_write_bytecode = before
        return value, module_digest("fuzzed_plugin")

    for file, text in FILES.items():
        project(file, text)
    value, digest = state()
    text = FILES[name]
    project(name, text[: place % len(text)] + letter + text[place % len(text) :])
    after, changed = state()
    assert changed != digest
    if after == value:
        return
    project(name, text)
    assert state() == (value, digest)
