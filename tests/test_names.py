"""One file has one name, wherever it is named from; names of the hub stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from serab_core.errors import UsageError
from serab_core.names import argument_paths, canonical_path, split_options


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The home of the user, with `models/m.py`, `models/w.pt` and a link to the folder; it is the working folder."""
    home = tmp_path / "home"
    models = home / "models"
    models.mkdir(parents=True)
    (models / "m.py").touch()
    (models / "w.pt").touch()
    (home / "link").symlink_to(models)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.mark.parametrize(
    "path", ["models/m.py", "./models/m.py", "link/m.py", "models/../models/m.py", "~/models/m.py", "~/link/m.py"]
)
def test_every_path_of_a_file_has_one_name(folder, path):
    assert argument_paths(path) == (str(folder / "models" / "m.py"), "~/models/m.py")
    assert canonical_path(path) == "~/models/m.py"
    assert canonical_path(str(folder / path.replace("~", "."))) == "~/models/m.py"


def test_a_file_outside_of_the_home_is_absolute(folder, tmp_path):
    assert canonical_path(str(tmp_path / "x" / ".." / "y.py")) == str(tmp_path / "y.py")
    assert canonical_path("..") == str(tmp_path)
    assert canonical_path(".") == str(folder)


@pytest.mark.parametrize(
    "argument",
    ["facebook/hubert-base-ls960", "facebook/hubert@abc123", "hearbaseline", "pkg.module", "pkg.module=missing.pt"],
)
def test_what_is_no_path_stays(folder, argument):
    assert argument_paths(argument) == (argument, argument)


def test_weights_that_exist_are_a_path(folder, monkeypatch):
    monkeypatch.chdir(folder / "models")
    weights = str(folder / "models" / "w.pt")
    assert argument_paths("pkg.module=w.pt") == (f"pkg.module={weights}", "pkg.module=~/models/w.pt")
    assert argument_paths("m.py=./w.pt")[1] == "~/models/m.py=~/models/w.pt"


def test_a_relative_path_in_a_deleted_folder_is_an_error(folder, monkeypatch):
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="deleted"):
        canonical_path("./m.py")
    assert argument_paths("facebook/hubert")[1] == "facebook/hubert"


def test_links_in_a_circle_keep_their_path(folder):
    (folder / "a.py").symlink_to(folder / "b.py")
    (folder / "b.py").symlink_to(folder / "a.py")
    assert Path(argument_paths("a.py")[0]) == folder / "a.py"


def test_options_follow_the_argument():
    assert split_options("./m.py=w+1.pt+layer=3+bf16") == ("./m.py=w+1.pt", ["layer=3", "bf16"])
    assert split_options("org/name") == ("org/name", [])
