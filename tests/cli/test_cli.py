"""The command line as a newcomer meets it: words, wrong words, and what comes out of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest

import serab_core
from serab_core import errors
from serab_core.system.session import current_session

SERAB = [sys.executable, "-c", "from serab_core.cli import main; main()"]


def flat(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_help_version_and_no_words(serab):
    code, out, _ = serab("--help")
    assert code == 0
    for command in ("eval", "data", "list", "plugins"):
        assert command in out
    assert serab("--version")[1].strip() == f"serab {serab_core.__version__}"
    assert serab("eval", "--help")[0] == 0
    code, out, err = serab()
    assert code == 2
    assert "Usage" in out + err


@pytest.mark.parametrize("words", [["nonsense"], ["eval"], ["eval", "x", "--nope"], ["eval", "x", "--jobs", "0"]])
def test_wrong_words_are_a_usage_error(serab, words):
    code, _, err = serab(*words)
    assert code == 2
    assert "Usage" in err


def test_eval_prints_a_table_and_json(serab, prepared_tones, home):
    words = ("eval", "toy", "toy/wide", "--tasks", "tones", "-c", "centroid,knn", "-j", "1")
    code, out, err = serab(*words)
    assert code == 0
    assert "toy/wide" in out
    assert "Protocol serab:" in flat(out)
    assert "Embedding utterances: 108 done" in err
    code, out, _ = serab(*words, "--json")
    document = json.loads(out)
    assert code == 0
    assert all(result["reused"] for result in document["results"])
    assert Path(document["results"][0]["file"]).is_file()
    assert "2 of 2 results were stored before" in flat(serab(*words)[1])
    assert "every classifier" in serab(*words, "--details")[1]


def test_eval_in_part_failed(serab, prepared_tones):
    code, out, _ = serab("eval", "toy", "toy-bad", "-t", "tones", "-c", "centroid", "-j", "1")
    assert code == 9
    assert "toy-bad/boom on tones failed" in flat(out)
    code, out, _ = serab("eval", "toy-bad", "-t", "tones", "-c", "centroid", "-j", "1", "--json")
    assert code == 9
    assert json.loads(out)["failures"][0]["error"]["exit_code"] == 7


def test_eval_shows_the_traceback_of_a_bug(serab, prepared_tones, monkeypatch):

    from serab_core.run import assemble

    monkeypatch.setattr(assemble, "choose", lambda *a: 1 / 0)
    code, out, err = serab("--debug", "eval", "toy", "-t", "tones", "-c", "centroid", "-j", "1")
    assert code == 9
    assert "please report it" in flat(out)
    assert "ZeroDivisionError" in err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["eval", "toyy"], 3, "no extractor is called 'toyy'. Did you mean 'toy'"),
        (["eval", "opensmiles"], 3, "serab plugins --available"),
        (["eval", "toy", "-t", "tonez", "-c", "centroid"], 3, "Did you mean 'tones'?"),
        (["eval", "toy", "-t", "tones", "-c", "centroyd"], 3, "no classifier is called 'centroyd'"),
        (["eval", "toy", "-p", "strickt"], 3, "Did you mean 'strict'"),
        (["eval", "toy", "toy"], 2, "named twice"),
        (
            ["eval", "toy", "-t", "tones", "-c", "centroid"],
            5,
            "tones: is not prepared. Next: the tests write it; then prepare it with `serab data prepare tones PATH`.",
        ),
        (["data", "prepare", "tonez", "x.zip"], 3, "no dataset is called 'tonez'. Did you mean 'tones'"),
        (["data", "prepare", "tones", "x.zip"], 5, "x.zip: does not exist"),
        (["data", "prepare", "tones"], 5, "needs a source"),
        (["--no-plugins", "eval", "toy"], 4, "Next: run without --no-plugins"),
        (["empty"], 4, "adds no command called 'empty'"),
    ],
)
def test_errors_have_what_where_and_next(serab, toys, words, code, says, monkeypatch):
    monkeypatch.setenv("SERAB_NO_PLUGINS", "")
    got, out, err = serab(*words)
    assert got == code
    assert says in flat(err)
    assert "Next: " in err
    assert "Traceback" not in err
    assert out == ""


def test_errors_as_json(serab, toys):
    code, out, err = serab("eval", "toyy", "--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 3
    assert document["schema"] == "serab.error/1"
    assert document["error"] == "UnknownNameError"
    assert "toy" in document["suggestions"]
    assert "toyy" in err


def install_nothing(monkeypatch) -> None:
    """Make the registry find no plugin."""
    from serab_core.plugins import entry_points

    registry = entry_points.PluginRegistry
    monkeypatch.setattr(entry_points, "PluginRegistry", partial(registry, find=lambda: ()))


def test_a_name_that_the_catalog_knows_says_what_to_install(monkeypatch):
    from serab_core import plugins

    current_session().close()
    install_nothing(monkeypatch)
    from serab_core.cli.main import run

    with pytest.raises(errors.UnknownNameError, match="pip install serab-plugin-opensmile"):
        plugins.extractor("opensmile/egemaps")
    assert run(["eval", "opensmile"]) == 3


def test_broken_and_foreign_plugins_are_named(serab, toys, add_plugin):
    add_plugin("p-broken", "serab.extractors", "broken", "raise OSError('no such library')")
    add_plugin("p-future", "serab.extractors", "future", "SERAB_API_VERSION = 7")
    wrong = "from types import SimpleNamespace as N\nfrom serab_core import hookimpl\n@hookimpl\n"
    wrong += "def serab_register_extractors(register): register(N(name='wrong'))"
    add_plugin("p-wrong", "serab.extractors", "wrong", wrong)
    assert "registered SimpleNamespace 'wrong', which is not of class ExtractorSpec" in flat(serab("eval", "wrong")[2])
    add_plugin("p-clash", "serab.extractors", "toy", "")
    code, _, err = serab("eval", "broken")
    assert code == 4
    assert "(from p-broken 0.1) failed to load: OSError: no such library" in flat(err)
    assert "SERAB_DISABLE_PLUGINS=broken" in err
    code, _, err = serab("eval", "future")
    assert (code, "pip install -U serab-core p-future" in flat(err)) == (4, True)
    code, _, err = serab("eval", "toy")
    assert (code, "choose one: p-clash:toy or serab-toys:toy" in flat(err)) == (4, True)
    code, out, err = serab("list", "extractors")
    assert code == 0
    assert "toy-bad/boom" in out
    for name in ("broken", "future", "toy"):
        assert f"{name} (from " in err
    code, out, _ = serab("plugins", "--json")
    states = {(p["name"], p["distribution"]): p for p in json.loads(out)["plugins"]}
    assert code == 0
    assert states["broken", "p-broken"]["state"] == "failed"
    assert states["broken", "p-broken"]["error"] == "OSError: no such library"
    assert states["future", "p-future"]["state"] == "incompatible"
    assert states["toy", "p-clash"]["state"] == "conflict"
    assert states["tones", "serab-toys"]["state"] == "loaded"
    assert states["tones", "serab-toys"]["file"].endswith("tones.py")
    assert states["hello", "serab-toys"]["state"] == "loaded"
    assert "failed" in serab("plugins")[1]


def test_a_narrow_list_has_whole_names(serab, toys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = serab("list", "extractors")[1]
    assert max(map(len, out.splitlines())) <= 80
    assert "toy-bad/boom " in out
    assert "Licence" not in out
    assert "--json, also shows: rate, licence." in out
    monkeypatch.setenv("COLUMNS", "140")
    assert "Licence" in serab("list", "extractors")[1]


def test_plugins_switched_off_or_unread(serab, toys, monkeypatch):
    monkeypatch.setenv("SERAB_DISABLE_PLUGINS", "toy, knn")
    code, out, _ = serab("plugins", "--no-load", "--json")
    states = {p["name"]: p["state"] for p in json.loads(out)["plugins"]}
    assert code == 0
    assert (states["toy"], states["knn"], states["centroid"]) == ("disabled", "disabled", "found")
    monkeypatch.setenv("SERAB_NO_PLUGINS", "")
    code, out, _ = serab("--no-plugins", "plugins", "--json")
    assert {p["state"] for p in json.loads(out)["plugins"]} == {"disabled"}
    assert "No extractors are installed" in serab("--no-plugins", "list", "extractors")[2]


def test_available_plugins(serab):
    code, out, _ = serab("plugins", "--available")
    assert code == 0
    assert "serab-plugin-opensmile" in out
    document = json.loads(serab("plugins", "--available", "--json")[1])
    assert document["schema"] == "serab.catalog/1"


def test_no_plugins_installed_at_all(serab, monkeypatch):
    install_nothing(monkeypatch)
    assert "No plugins are installed" in serab("plugins")[1]


@pytest.mark.parametrize("kind", ["extractors", "datasets", "classifiers"])
def test_lists(serab, toys, kind):
    code, out, _ = serab("list", kind)
    assert code == 0
    names = {"extractors": "toy/wide", "datasets": "tones", "classifiers": "centroid"}
    assert names[kind] in out
    document = json.loads(serab("list", kind, "--json")[1])
    assert document["schema"] == f"serab.{kind}/1"
    assert names[kind] in [row["name"] for row in document[kind]]


def test_data_prepare_and_list(serab, tones_folder, tmp_path):
    from serab_toys import tones

    tones.write(tones_folder, names=[f"a_low_{take}" for take in range(3, 10)])
    code, out, err = serab("data", "prepare", "tones", str(tones_folder))
    assert code == 0
    assert "Tones is prepared: 54 utterances, 3 labels, 6 speakers" in out
    assert "train 27, validation 9, test 18" in out
    assert "skipped 7 files, such as wav/a_low_3.wav: not one of Tones's 54 utterances" in out
    assert "Preparing tones: 54 done" in err
    (tones_folder / "wav" / "a_low_0.wav").unlink()
    assert serab("data", "prepare", "tones", str(tones_folder))[0] == 5
    code, out, _ = serab("data", "prepare", "tones", str(tones_folder), "--allow-partial")
    assert (code, "PARTIAL: 1 missing (a_low_0" in out) == (0, True)
    summary = json.loads(serab("data", "prepare", "tones", str(tones_folder), "--allow-partial", "--json")[1])
    assert summary["partial"]
    code, out, _ = serab("data", "list")
    assert code == 0
    assert "53 of 54" in flat(out)
    assert "(partial)" in out
    assert "aesdd: " in out  # where to get it, or that no plugin is there
    rows = {row["name"]: row for row in json.loads(serab("data", "list", "--json")[1])["datasets"]}
    assert rows["tones"]["prepared"]["utterances"] == 53
    assert rows["aesdd"]["in_suite"]
    code, out, _ = serab("eval", "toy", "-c", "centroid", "-j", "1")
    assert code == 0
    assert "partial corpus: not comparable" in flat(out)


def test_commands_of_plugins(serab, toys, add_plugin):
    add_plugin("p-cmd", "serab.commands", "bad-command", "raise RuntimeError('no')")
    add_plugin("p-eval", "serab.commands", "eval", "raise RuntimeError('shadow')")
    code, out, _ = serab("--help")
    assert code == 0
    assert "From serab-toys 1.2." in out
    assert "bad-command" in out
    code, out, _ = serab("hello", "--name", "you")
    assert (code, out) == (0, "hello you\n")
    code, _, err = serab("bad-command")
    assert code == 4
    assert "RuntimeError: no" in flat(err)
    assert serab("eval", "--help")[0] == 0


@pytest.mark.parametrize("home", ["/proc/serab-home", "/dev/null/x"])
def test_a_home_that_cannot_be_written(serab, toys, monkeypatch, home, tones_folder):
    monkeypatch.setenv("SERAB_HOME", home)
    for words in (["data", "prepare", "tones", str(tones_folder)], ["eval", "toy", "-c", "centroid"]):
        code, _, err = serab(*words)
        assert code == 6
        assert home in err
        assert "SERAB_HOME" in err
        assert "Traceback" not in err


def test_a_full_disk(serab, prepared_tones, monkeypatch):
    import errno

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, out, _ = serab("eval", "toy", "-t", "tones", "-c", "centroid", "-j", "1")
    assert code == 9
    assert "no space left on device" in flat(out)
    assert "choose another folder (SERAB_HOME" in flat(out)


def subprocess_serab(*words, **options):
    return subprocess.run([*SERAB, *words], capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], "torch tensorflow numba sklearn numpy scipy optuna h5py pandas opensmile msgspec"),
        (["plugins", "--no-load"], "torch tensorflow numba sklearn scipy optuna h5py pandas opensmile"),
    ],
)
def test_light_imports(words, heavy):
    code = (
        f"import sys; sys.argv = ['serab', *{words!r}]\n"
        "from serab_core.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"heavy = set({heavy!r}.split())\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip().endswith("HEAVY []")


def test_sigterm_and_sigint_end_in_a_sentence(prepared_tones, toys):
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            [*SERAB, "eval", "toy-bad/slow", "-t", "tones", "-c", "centroid", "-j", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job ignores Ctrl-C, and its children with it; here it is to be heard.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        seen = ""
        while "Embedding utterances" not in seen:
            seen = process.stderr.readline()
            assert seen, "it ended before it began"
        time.sleep(0.3)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "run the same command again to continue" in flat(err)
        assert "Traceback" not in err


def test_a_zip_that_is_not_the_corpus_through_the_real_command(tmp_path, toys):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    done = subprocess_serab("data", "prepare", "tones", str(tmp_path / "x.zip"))
    assert done.returncode == 5
    assert "holds none of Tones's 54 utterances" in flat(done.stderr)
