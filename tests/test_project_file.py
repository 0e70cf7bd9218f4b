"""A project's file of settings: what it may set, whose file is obeyed, how far the search goes, and `config trust`."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from serab_core import settings
from serab_core.errors import ConfigError
from serab_core.isolation import environments
from serab_core.system import ownership
from serab_core.system.session import current_session
from serab_core.trust import read_trusted

CRITICAL = 'home = "planted"\nengine = "dask://127.0.0.1:1"\nprotocol = "strict"\n'


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A project's folder with a working folder in it; the user's home is elsewhere."""
    for setting in settings.SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.delenv(settings.FILE_VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user" / "data"))
    monkeypatch.setattr(settings, "user_config_path", lambda *args, **more: tmp_path / "user" / "config")
    (tmp_path / "user").mkdir()
    folder = tmp_path / "project"
    (folder / "below").mkdir(parents=True)
    monkeypatch.chdir(folder / "below")
    return folder


def plant_environment(home: Path) -> Path:
    """An environment whose interpreter leaves a mark where it is run."""
    mark, folder = home / "ran", home / "isolated" / "serab-planted"
    folder.mkdir(parents=True)
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ntouch {mark}\n")
    python.chmod(0o755)
    record = {"python": "python", "distribution": "serab-planted", "version": "1", "extractors": ["planted"]}
    (folder / environments.FILE).write_text(json.dumps({"schema": "serab.isolated/1", **record}))
    return mark


@pytest.mark.parametrize("name", ["serab.toml", "pyproject.toml"])
def test_no_environment_of_a_home_that_a_project_names_runs_without_trust(project, serab, name):
    (project / name).write_text(("[tool.serab]\n" if name == "pyproject.toml" else "") + CRITICAL)
    mark = plant_environment(project / "planted")
    for words in (("list", "extractors"), ("weights", "list"), ("eval", "planted"), ("plugins",), ("check", "planted")):
        _, _, err = serab(*words)
        assert f"{name}: the setting home is ignored" in err
        assert f"serab config trust {project}" in err
    assert not mark.exists()
    assert settings.current_settings().protocol == "strict"
    assert "engine" not in settings.assigned_values()
    assert serab("config", "trust", str(project))[0] == 0
    _, _, err = serab("list", "extractors")
    assert "ignored" not in err
    assert mark.exists()  # the bomb is one


def test_trust_holds_for_the_values_that_were_trusted(project, serab):
    file = project / "serab.toml"
    file.write_text(CRITICAL)
    code, out, _ = serab("config", "trust")
    assert (code, f"home = '{project}/planted', engine = 'dask://127.0.0.1:1'" in out) == (0, True)
    file.write_text(CRITICAL + "jobs = 2\n")
    assert [origin for _, origin in settings.assigned_values().values()].count(str(file)) == 4
    current_session().close()
    file.write_text(CRITICAL.replace("planted", "other"))
    assert "home" not in settings.assigned_values()
    assert [entry.key for entry in settings.ignored_settings()] == ["home"]
    assert "and you trusted" in settings.ignored_settings()[0].reason
    assert str(project) in serab("config", "trust", "--list")[1]
    assert serab("config", "untrust", str(project))[0] == 0
    assert serab("config", "untrust", str(project))[0] == 3
    current_session().close()
    assert [entry.key for entry in settings.ignored_settings()] == ["home", "engine"]


def test_what_is_ignored_is_shown(project, serab):
    (project / "serab.toml").write_text(CRITICAL)
    code, out, err = serab("config")
    assert (code, err) == (0, "")
    assert f"Ignored: {project}/serab.toml: the setting home is ignored" in out
    document = json.loads(serab("config", "--json")[1])
    assert [(entry["setting"], entry["next_step"]) for entry in document["ignored"]] == [
        (key, f"trust it with `serab config trust {project}`") for key in ("home", "engine")
    ]
    assert document["settings"]["engine"]["from"] == "default"


def test_the_users_own_word_needs_no_trust(project, monkeypatch):
    (project / "serab.toml").write_text(CRITICAL)
    monkeypatch.setenv("SERAB_CONFIG", str(project / "serab.toml"))
    assert settings.current_settings().engine == "dask://127.0.0.1:1"
    monkeypatch.delenv("SERAB_CONFIG")
    monkeypatch.setenv("SERAB_ENGINE", "local")
    assert settings.current_settings().engine == "local"
    user = settings.user_folder() / "serab.toml"
    user.parent.mkdir(parents=True)
    user.write_text('home = "mine"\n')
    current_session().close()
    assert settings.assigned_values()["home"][1] == str(user)
    monkeypatch.chdir(user.parent)  # where the user's own file is the nearest one, too
    assert settings.assigned_values()["home"][1] == str(user)


def test_thousands_of_processes_need_trust(project):
    (project / "serab.toml").write_text("jobs = 65\n")
    assert "jobs" not in settings.assigned_values()
    current_session().close()
    (project / "serab.toml").write_text("jobs = 64\n")
    assert settings.current_settings().jobs == 64


@pytest.mark.parametrize("place", ["file", "folder"])
@pytest.mark.parametrize("mode", [stat.S_IWOTH, stat.S_IWGRP])
def test_what_others_can_write_is_passed_over(project, serab, monkeypatch, place, mode):
    monkeypatch.setattr(ownership, "_is_private_group", lambda number: False)
    path = project / "serab.toml"
    path.write_text("jobs = 7\n")
    target = path if place == "file" else project
    target.chmod(target.stat().st_mode | mode)
    assert "jobs" not in settings.assigned_values()
    code, out, _ = serab("config")
    assert (code, "the file is ignored: it" in out, "SERAB_CONFIG=" in out) == (0, True, True)
    code, _, err = serab("config", "trust", str(project))
    assert (code, "cannot be trusted" in err) == (12, True)
    target.chmod(target.stat().st_mode & ~mode)
    current_session().close()
    assert settings.current_settings().jobs == 7


def test_a_shared_folder_with_the_sticky_bit_is_passed_over(project):
    project.chmod(0o1777)
    (project / "serab.toml").write_text("jobs = 7\n")
    assert "jobs" not in settings.assigned_values()


def test_a_group_of_the_user_alone_is_nobody_else(project, monkeypatch):
    monkeypatch.setattr(ownership, "_is_private_group", lambda number: True)
    (project / "serab.toml").write_text("jobs = 7\n")
    project.chmod(0o2775)
    (project / "serab.toml").chmod(0o664)
    assert settings.current_settings().jobs == 7
    current_session().close()
    monkeypatch.setattr(ownership, "_has_access_list", lambda path: True)  # it may name further users
    assert "jobs" not in settings.assigned_values()


def test_a_file_of_another_user_is_not_even_parsed(project, monkeypatch):
    (project / "serab.toml").write_text("no TOML at all")
    real = Path.lstat

    def lstat(path):
        state = real(path)
        owner = 4242 if path.name == "serab.toml" else state.st_uid
        return os.stat_result([*state[:4], owner, *state[5:]])

    monkeypatch.setattr(Path, "lstat", lstat)
    (entry,) = settings.ignored_settings()
    assert entry.reason == "belongs to another user (number 4242)"
    assert "protocol" not in settings.assigned_values()


def test_a_link_in_another_users_folder_is_passed_over(project, monkeypatch, tmp_path):
    (tmp_path / "mine.toml").write_text("jobs = 7\n")
    (project / "serab.toml").symlink_to(tmp_path / "mine.toml")
    assert settings.current_settings().jobs == 7
    current_session().close()
    project.chmod(0o777)
    assert "jobs" not in settings.assigned_values()


def test_the_search_ends_at_the_users_home(project, monkeypatch, tmp_path):
    (tmp_path / "serab.toml").write_text("jobs = 7\n")
    assert settings.current_settings().jobs == 7
    current_session().close()
    monkeypatch.setenv("HOME", str(project))
    assert "jobs" not in settings.assigned_values()
    (project / "serab.toml").write_text("jobs = 6\n")
    current_session().close()
    assert settings.current_settings().jobs == 6


def test_the_search_ends_at_the_border_of_the_file_system(project, monkeypatch):
    (project / "serab.toml").write_text("jobs = 7\n")
    real = Path.stat

    def state(path, **options):
        fields = real(path, **options)
        device = fields.st_dev + 1 if path == project else fields.st_dev
        return os.stat_result([*fields[:2], device, *fields[3:]])

    monkeypatch.setattr(Path, "stat", state)
    assert "jobs" not in settings.assigned_values()


def test_a_pyproject_that_does_not_mention_serab_may_be_anything(project):
    (project / "below" / "pyproject.toml").write_text("[project]\nname = {{ name }}\n")
    (project / "serab.toml").write_text("jobs = 7\n")
    assert settings.current_settings().jobs == 7
    current_session().close()
    (project / "below" / "pyproject.toml").write_text("tool = 3 # serab\n")
    assert settings.current_settings().jobs == 7


@pytest.mark.parametrize("text", ["x = " + "[" * 90_000, "jobs = 1\n" + "#" * (1 << 20), "tool.serab = 3"])
def test_a_file_that_cannot_be_settings_is_refused(project, text):
    name = "pyproject.toml" if text.startswith("tool") else "serab.toml"
    (project / name).write_text(text)
    with pytest.raises(ConfigError, match="cannot be read|has no table"):
        settings.current_settings()


@pytest.mark.parametrize("content", ["", "[]", '{"schema": "serab.trusted/1", "folders": {"/x": 3}}'])
def test_a_damaged_list_of_trusted_folders_trusts_none(project, serab, content):
    (project / "serab.toml").write_text(CRITICAL)
    settings.trust_file().parent.mkdir(parents=True, exist_ok=True)
    settings.trust_file().write_text(content)
    assert "home" not in settings.assigned_values()
    assert "trusted.json " in settings.ignored_settings()[0].reason
    assert serab("config", "trust")[0] == 12


def test_a_list_that_others_can_write_trusts_none(project, serab):
    (project / "serab.toml").write_text(CRITICAL)
    assert serab("config", "trust")[0] == 0
    assert stat.S_IMODE(settings.trust_file().stat().st_mode) == 0o600
    settings.trust_file().chmod(0o666)
    current_session().close()
    assert "home" not in settings.assigned_values()


def test_nothing_to_trust(project, serab):
    assert serab("config", "trust")[0] == 12
    (project / "serab.toml").write_text("jobs = 2\n")
    code, out, _ = serab("config", "trust")
    assert (code, "no setting needs trust" in out) == (0, True)
    assert read_trusted(settings.trust_file()) == {}


def test_the_shells_tab_shows_nothing(project, serab, monkeypatch):
    (project / "serab.toml").write_text(CRITICAL)
    for name, value in (("_SERAB_COMPLETE", "complete_bash"), ("COMP_WORDS", "serab ev"), ("COMP_CWORD", "1")):
        monkeypatch.setenv(name, value)
    code, out, err = serab()
    assert (code, out.split(), err) == (0, ["eval"], "")


def test_a_run_says_on_whose_word_a_scheduler_is_used(project, capsys, monkeypatch):
    from serab_core.cli.eval_ import _engine

    (project / "serab.toml").write_text(CRITICAL)
    assert (_engine(None), capsys.readouterr().err) == ("local", "")
    assert _engine("dask://here:2") == "dask://here:2"
    assert "Engine: dask://here:2, named by --engine" in capsys.readouterr().err
    monkeypatch.setenv("SERAB_CONFIG", str(project / "serab.toml"))
    assert _engine(None) == "dask://127.0.0.1:1"
    assert f"named by {project}/serab.toml" in capsys.readouterr().err
    monkeypatch.setenv("SERAB_ENGINE", "dask://there:3")
    assert _engine(None) == "dask://there:3"
    assert "named by $SERAB_ENGINE" in capsys.readouterr().err
