"""Commands and options in messages: those of the command line, or those of Python; none in a stored file."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import typer

import serab as api
from serab_core.api.hints import ARGUMENTS, FUNCTIONS, Python
from serab_core.cli.main import app
from serab_core.errors import NotPreparedError, UnknownNameError, UsageError
from serab_core.system import hints
from serab_core.system.hints import COMMAND_LINE, CommandLine
from serab_core.system.session import Session, use_session

ROOT = Path(__file__).parents[2]
MARK = "\N{REFERENCE MARK}"


def test_each_interface_writes_its_own():
    arguments = ("data prepare", "emodb", "my files.zip")
    shell, python = CommandLine(), Python()
    assert shell.command(*arguments, folder="wav", copy=True) == (
        "`serab data prepare emodb 'my files.zip' --folder wav --copy`"
    )
    assert python.command(*arguments, folder="wav", copy=True) == (
        '`serab.prepare("emodb", "my files.zip", folder="wav", copy=True)`'
    )
    assert python.command("eval", "a", "b", tasks="t", protocol="") == '`serab.evaluate(["a", "b"], tasks="t")`'
    assert python.command("eval", "a", tasks=["t", "u"]) == '`serab.evaluate("a", tasks=["t", "u"])`'
    assert python.command("eval", "a", tasks=["t"]) == '`serab.evaluate("a", tasks="t")`'
    assert shell.command("eval", "a", tasks=["t", "u"]) == "`serab eval a --tasks t,u`"
    assert python.command("cache gc") == "`serab cache gc` in a shell"
    assert python.command("eval", "a", shard="1/2") == "`serab eval a --shard 1/2` in a shell"
    options = ("folder", "NAME"), ("jobs", 1), ("fresh",), ("protocol",), ("label", "NAME")
    assert [shell.option(*given) for given in options] == [
        "--folder NAME", "--jobs 1", "--fresh", "--protocol", "--label NAME"
    ]  # fmt: skip
    assert [python.option(*given) for given in options] == [
        'folder="NAME"', "jobs=1", "fresh=True", "protocol", "--label NAME"
    ]  # fmt: skip


def test_python_names_its_functions_and_arguments_as_they_are():
    for function in FUNCTIONS.values():
        parameters = inspect.signature(getattr(api, function)).parameters
        assert ARGUMENTS[function] <= parameters.keys()


def test_the_command_line_has_every_command_and_option_that_messages_name():
    """A renamed command would otherwise stay in messages."""
    group = typer.main.get_command(app)
    everything: dict[str, set[str]] = {}

    def visit(command, name):
        everything[name] = {
            text for parameter in command.params for text in (*parameter.opts, *parameter.secondary_opts)
        }
        for key, inner in getattr(command, "commands", {}).items():
            visit(inner, f"{name} {key}".strip())

    visit(group, "")
    dashed = {option for options in everything.values() for option in options}
    checked = 0
    for path in [*ROOT.glob("serab_core/**/*.py"), *ROOT.glob("plugins/*/serab_*/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="command"), args=[ast.Constant(value=str(name)), *_], keywords=keywords):
                    if not name.startswith("pretrain"):
                        assert {f"--{key.arg}".replace("_", "-") for key in keywords if key.arg} <= everything[name], (
                            path
                        )
                        checked += 1
                case ast.Call(func=ast.Name(id="option"), args=[ast.Constant(value=str(name)), *_]):
                    assert f"--{name}" in dashed or "byol" in str(path), (path, name)
                    checked += 1
    assert checked > 60


MISTAKES = [
    (["eval", "toyy"], lambda: api.evaluate("toyy"), UnknownNameError, "serab list extractors", "serab.extractors()"),
    (
        ["eval", "toy", "-t", "tones"],
        lambda: api.evaluate("toy", tasks="tones"),
        NotPreparedError,
        "`serab data prepare tones PATH`",
        '`serab.prepare("tones", "PATH")`',
    ),
    (
        ["eval", "toy", "-t", "hums", "-c", "knn", "--trials", "5"],
        lambda: api.evaluate("toy", tasks="hums", trials=5),
        UsageError,
        "leave --trials out, or add --tuner tpe",
        'leave trials out, or add tuner="tpe"',
    ),
    (
        ["eval", "toy", "--engine", "slurm"],
        lambda: api.evaluate("toy", engine="slurm"),
        UsageError,
        "--engine local for processes here, or --engine dask://HOST:PORT",
        'engine="local" for processes here, or engine="dask://HOST:PORT"',
    ),
    (
        ["compare", "toy", "toy"],
        lambda: api.compare("toy", "toy"),
        UsageError,
        "compute it with `serab eval toy`",
        'compute it with `serab.evaluate("toy")`',
    ),
]


@pytest.mark.parametrize(("line", "call", "kind", "for_shell", "for_python"), MISTAKES)
def test_the_same_mistake_is_answered_in_the_language_of_the_user(toys, serab, line, call, kind, for_shell, for_python):
    _, _, err = serab(*line)
    assert for_shell in " ".join(err.split())
    with pytest.raises(kind) as caught:
        call()
    assert for_python in str(caught.value)
    assert for_shell not in str(caught.value)


def test_worker_processes_use_the_interface_of_their_parent(toys, prepared_tones, serab):
    """The classifier raises in a worker, which names the option for other classifiers."""
    line = ("eval", "toy", "--tasks", "tones", "--classifiers", "crash", "--jobs", "2")
    assert "--classifiers" in serab(*line)[1]
    run = api.evaluate("toy", tasks="tones", classifiers="crash", jobs=2, raise_errors=False, progress=False)
    assert "name others with classifiers" in str(run.failures)


def test_an_isolated_extractor_writes_for_its_parent():
    for interface, given in ((None, {}), (COMMAND_LINE, {"SERAB_INTERFACE": "shell"})):
        with use_session(Session(interface=interface)) as session:
            assert session.environment() == given


def test_a_child_of_a_command_writes_for_a_shell(monkeypatch):
    assert hints.command("eval", "X") == '`serab.evaluate("X")`'
    monkeypatch.setenv("SERAB_INTERFACE", "shell")
    assert hints.command("eval", "X") == "`serab eval X`"


def test_no_stored_file_names_a_command_or_an_option(toys, tones_folder, serab, home, tmp_path, monkeypatch):
    """They would be read later through another interface."""
    monkeypatch.setattr(CommandLine, "command", lambda self, name, *arguments, **options: f"{MARK}{name}")
    monkeypatch.setattr(CommandLine, "option", lambda self, name, value=True: f"{MARK}{name}")
    output = []

    def call(*line):
        code, out, err = serab(*line)
        output.append(out + err)
        return code

    csv = tmp_path / "mine.csv"
    rows = [f"{path},{path.stem.split('_')[1]},{path.stem[0]},x,0" for path in sorted(tones_folder.rglob("*.wav"))]
    csv.write_text("\n".join(["path,label,speaker,partition,offset", *rows]))
    assert call("data", "prepare", "tones", str(tones_folder)) == 0
    assert call("data", "prepare", "tones", str(tones_folder), "--folder", "nowhere") == 5
    assert call("data", "add", "mine", str(csv)) == 0
    assert call("eval", "toy", "-t", "tones,mine", "-c", "knn", "--jobs", "1", "--profile") == 0
    assert call("eval", "toy", "-t", "tones", "-c", "knn,crash", "--jobs", "2") != 0
    assert call("eval", "toy", "-c", "knn", "--jobs", "1", "--tuner", "tpe", "--trials", "3") in (0, 8)
    assert call("results", "export", str(home.root / "exported.jsonl")) == 0
    assert call("leaderboard") == 0
    assert call("report", "-o", str(tmp_path / "report.html")) == 0
    assert call("eval", "nobody") == 3
    assert MARK in "".join(output)
    stored = [path for path in home.root.rglob("*") if path.is_file()]
    assert len(stored) > 10
    marks = (MARK.encode(), rb"\u203b", b"`serab")  # the last one is what worker processes would write
    assert [path for path in stored if any(mark in path.read_bytes() for mark in marks)] == []


@pytest.mark.parametrize("trials", [0, -3])
def test_no_trials_are_an_error_in_python(prepared_tones, home, trials):
    with pytest.raises(UsageError, match="no search"):
        api.evaluate("toy", tasks="tones", tuner="tpe", trials=trials, progress=False)


def test_python_is_told_the_variable_that_disables_plugins(toys, home, monkeypatch):
    monkeypatch.setenv("SERAB_NO_PLUGINS", "1")
    with pytest.raises(Exception, match="unset SERAB_NO_PLUGINS"):
        api.evaluate("toy", tasks="tones", progress=False)
