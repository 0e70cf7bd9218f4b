"""Settings: which file, which variable, what goes first, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serab_core import settings
from serab_core.errors import ConfigError
from serab_core.system.cpu import available_cores
from serab_core.system.session import current_session


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A folder in which files are looked for, with a user's folder of its own."""
    for setting in settings.SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.delenv(settings.FILE_VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setattr(settings, "user_config_path", lambda *args, **more: tmp_path / "user" / "serab")
    folder = tmp_path / "project" / "below"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder.parent


def test_nothing_is_set(project):
    assert settings.config_files() == []
    assert settings.assigned_values() == {}
    current = settings.current_settings()
    assert current == settings.Settings()
    assert (current.engine, current.jobs, current.patience) == ("local", available_cores(), 3600)
    assert (current.protocol, current.tasks, current.disabled_plugins) == ("serab", (), ())
    assert current.home == settings.home()
    assert settings.home().name == "serab"


def test_the_nearer_goes_first(project, monkeypatch, tmp_path):
    user = tmp_path / "user" / "serab" / "serab.toml"
    user.parent.mkdir(parents=True)
    user.write_text('home = "kept"\njobs = 3\nprotocol = "strict"\n')
    (project / "serab.toml").write_text('jobs = 2\ntasks = ["emodb", "savee"]\n')
    (project / "pyproject.toml").write_text("[tool.serab]\njobs = 9\n")
    monkeypatch.setenv("SERAB_PROTOCOL", "serab-released")
    found = settings.assigned_values()
    assert found["home"] == (str(user.parent / "kept"), str(user))
    assert found["jobs"] == (2, str(project / "serab.toml"))
    assert found["protocol"] == ("serab-released", "$SERAB_PROTOCOL")
    assert settings.current_settings().tasks == ("emodb", "savee")
    assert settings.home() == user.parent / "kept"


def test_a_pyproject_counts_where_it_has_our_table(project):
    (project / "below" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    (project / "pyproject.toml").write_text('[tool.serab]\ndisabled-plugins = ["a"]\n')
    assert settings.current_settings().disabled_plugins == ("a",)
    assert settings.config_files() == [project / "pyproject.toml"]


def test_a_named_file_goes_before_both(project, monkeypatch, tmp_path):
    (project / "serab.toml").write_text("jobs = 2\n")
    named = tmp_path / "named.toml"
    named.write_text("jobs = 5\n")
    monkeypatch.setenv("SERAB_CONFIG", str(named))
    assert settings.current_settings().jobs == 5
    monkeypatch.setenv("SERAB_CONFIG", "")
    assert "jobs" not in settings.assigned_values()
    monkeypatch.setenv("SERAB_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="is not a file"):
        settings.current_settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jbos = 2", "Did you mean 'jobs'"),
        ("jobs = 0", "not a positive integer"),
        ("jobs = true", "not a positive integer"),
        ('tasks = "emodb"', "not a list of words"),
        ("home = 3", "not a path"),
        ("protocol = ' '", "not a word"),
        ("jobs = ", "cannot be read"),
        ("jobs = '\udcff'", "cannot be read"),
    ],
)
def test_what_is_refused(project, serab, text, said):
    (project / "serab.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    code, out, err = serab("config")
    assert (code, out) == (12, "")
    assert said in " ".join(err.split())
    assert "serab.toml" in err


@pytest.mark.parametrize("text", ["two", "0", "-1", "²"])
def test_a_variable_that_is_no_number(project, monkeypatch, text):
    monkeypatch.setenv("SERAB_JOBS", text)
    with pytest.raises(ConfigError, match=r"SERAB_JOBS: is .* not a positive integer"):
        settings.current_settings()


plain = st.one_of(st.integers(-3, 5), st.booleans(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2))


@given(st.dictionaries(st.sampled_from([*settings.SETTINGS, "other"]), plain, max_size=4))
@example({"home": "\0"})
@example({"tasks": ["a\0"]})
def test_what_the_schema_takes_is_taken_and_nothing_else(table):
    def read() -> None:
        for key, own in table.items():
            if key not in settings.SETTINGS:
                raise ConfigError("is no setting")
            settings._typed(key, own, Path("/x/serab.toml"))

    valid = jsonschema.Draft202012Validator(settings.json_schema()).is_valid(table)
    blank = any(isinstance(own, str) and not own.strip() for own in table.values())
    if valid and not blank:
        read()
    elif not valid:
        with pytest.raises(ConfigError):
            read()


def test_it_is_shown(project, serab):
    (project / "serab.toml").write_text('jobs = 1\ntasks = ["demo"]\n')
    code, out, _ = serab("config")
    assert code == 0
    assert "one per core" not in out
    assert "serab.toml" in out
    document = json.loads(serab("config", "--json")[1])
    assert document["settings"]["tasks"] == {
        "value": ["demo"], "from": str(project / "serab.toml"), "default": "the prepared tasks",
        "variable": "SERAB_TASKS",
    }  # fmt: skip
    assert json.loads(serab("config", "--schema")[1]) == settings.json_schema()


def test_json_has_the_value_of_every_default(project, serab):
    rows = json.loads(serab("config", "--json")[1])["settings"]
    assert {row["from"] for row in rows.values()} == {"default"}
    assert {key: row["value"] for key, row in rows.items()} == {
        "home": str(settings.home()), "engine": "local", "jobs": available_cores(), "patience": settings.TIMEOUT_S,
        "protocol": "serab", "tasks": [], "disabled-plugins": [],
    }  # fmt: skip


def test_commands_take_it(project, toys, serab, tmp_path):
    (project / "serab.toml").write_text(
        f'home = "{tmp_path}/kept"\njobs = 1\nprotocol = "strict"\ntasks = ["tones"]\ndisabled-plugins = ["heavy"]\n'
    )
    from serab_toys import tones

    assert serab("config", "trust")[0] == 0
    tones.write(tmp_path / "download")
    assert serab("data", "prepare", "tones", str(tmp_path / "download"))[0] == 0
    code, out, err = serab("eval", "toy", "--classifiers", "centroid", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert (document["protocol"]["name"], document["tasks"]) == ("strict", ["tones"])
    assert str(tmp_path / "kept") in document["results"][0]["file"]
    assert serab("eval", "heavy")[0] == 4
    (project / "serab.toml").write_text('engine = "cloud"\n')
    assert serab("config", "trust")[0] == 0
    code, _, err = serab("eval", "toy")
    assert code == 2
    assert "no engine 'cloud'" in err


def test_the_home_of_nobody(project, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", "~nobody-is-called-so/x")
    with pytest.raises(ConfigError, match="there is no such user"):
        settings.home()
    monkeypatch.delenv("SERAB_HOME")
    (project / "serab.toml").write_text('home = "~nobody-is-called-so"')
    current_session().close()
    with pytest.raises(ConfigError, match="there is no such user"):
        settings.home()


@pytest.mark.parametrize("value", ["99999999999999999999999", "9" * 5000, "2147483648", "0", "-1", "1.5"])
def test_an_integer_that_no_system_takes_is_refused(project, monkeypatch, value):
    monkeypatch.setenv("SERAB_JOBS", value)
    with pytest.raises(ConfigError, match="not a positive integer up to 2147483647"):
        settings.current_settings()
    monkeypatch.delenv("SERAB_JOBS")
    (project / "serab.toml").write_text(f"jobs = {value}\n")
    with pytest.raises(ConfigError):
        settings.read_settings(project / "serab.toml")


@pytest.mark.parametrize("line", ['tasks = [""]', 'tasks = ["  "]', 'home = "a\\u0000b"', 'protocol = "a\\u0000"'])
def test_empty_words_and_null_characters_are_refused_with_their_file(project, line):
    (project / "serab.toml").write_text(line + "\n")
    with pytest.raises(ConfigError, match=r"serab\.toml"):
        settings.read_settings(project / "serab.toml")


def test_words_of_a_list_are_trimmed(project):
    (project / "serab.toml").write_text('tasks = [" demo "]\n')
    assert settings.current_settings().tasks == ("demo",)
