"""Every class of error, provoked through the command line: what happened, to what, and what to do next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from serab_core import errors
from serab_core.errors import InterruptedRunError, SerabError
from serab_core.system import offline

ALL = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SerabError)
}  # fmt: skip
ROOT, FAILED = "SerabError", "JobsFailedError"
"""The root is for what nobody foresaw; the other is an exit code, whose document lists errors of other classes."""


def prepared(serab, tones_folder):
    assert serab("data", "prepare", "tones", str(tones_folder))[0] == 0


def usage(serab, **_):
    return serab("eval", "toy", "toy", "--json")


def unknown_name(serab, **_):
    return serab("eval", "nobody", "--json")


def plugin(serab, add_plugin, **_):
    add_plugin("serab-broken", "serab.extractors", "broken", "raise KeyError('at import')")
    return serab("eval", "broken", "--json")


def data(serab, tmp_path, **_):
    (tmp_path / "nothing").mkdir()
    return serab("data", "prepare", "tones", str(tmp_path / "nothing"), "--json")


def audio(serab, tones_folder, **_):
    next(tones_folder.rglob("*.wav")).write_bytes(b"RIFF")
    return serab("data", "prepare", "tones", str(tones_folder), "--json")


def pointer(serab, tmp_path, **_):
    """An archive that git-lfs has not fetched."""
    (tmp_path / "tones.zip").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    return serab("data", "prepare", "tones", str(tmp_path / "tones.zip"), "--json")


def not_prepared(serab, **_):
    return serab("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--json")


def store(serab, home, **_):
    home.root.parent.mkdir(exist_ok=True)
    home.root.write_text("a file")
    return serab("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--json")


def content(serab, tones_folder, home, **_):
    prepared(serab, tones_folder)
    (home.datasets / "tones" / "index.json").write_bytes(b"")
    return serab("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--json")


def extractor(serab, **_):
    return serab("bench", "toy-bad/boom", "--json")


def tuning(serab, tones_folder, **_):
    prepared(serab, tones_folder)
    return serab("eval", "toy", "--tasks", "tones", "--classifiers", "never", "--jobs", "1", "--json")


def weights(serab, tones_folder, **_):
    prepared(serab, tones_folder)
    return serab("eval", "heavy", "--tasks", "tones", "--json")


def check_failed(serab, **_):
    return serab("check", "toy-bad/boom")


def config(serab, monkeypatch, **_):
    monkeypatch.setenv("SERAB_JOBS", "many")
    return serab("eval", "toy", "--json")


def worker(serab, tones_folder, **_):
    prepared(serab, tones_folder)
    return serab("eval", "toy-bad/die", "--tasks", "tones", "--classifiers", "knn", "--jobs", "2", "--json")


def off_line(serab, monkeypatch, **_):
    monkeypatch.setenv("SERAB_OFFLINE", "1")
    try:
        return serab("weights", "fetch", "heavy", "--accept-licence", "--json")
    finally:
        offline.enable_network()


def interrupted(serab, tones_folder, monkeypatch, **_):
    from serab_core.run import evaluate

    prepared(serab, tones_folder)

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "wait", pressed)
    return serab("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1", "--json")


def repeat(serab, tones_folder, home, **_):
    prepared(serab, tones_folder)
    words = ("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1", "--json")
    code, out, _ = serab(*words)
    assert code == 0
    file = home.root / "kept.json"
    told = json.loads(Path(json.loads(out)["results"][0]["file"]).read_text())
    told["outcomes"][0]["test"]["predicted"][0] = "otherwise"
    file.write_text(json.dumps(told))
    code, out, err = serab("eval", "--reproduce", str(file), "--jobs", "1")
    return code, json.dumps({"error": "RepeatError", "exit_code": code, **_parts(err)}), err


def _parts(err):
    words = " ".join(err.partition("Error (RepeatError)")[2].split())
    return {"what": words, "where": words.partition(":")[0], "next_step": words.partition("Next: ")[2]}


PROVOKED = {
    "UsageError": usage,
    "UnknownNameError": unknown_name,
    "PluginError": plugin,
    "DataError": data,
    "AudioError": audio,
    "PointerError": pointer,
    "NotPreparedError": not_prepared,
    "StoreError": store,
    "ContentError": content,
    "ExtractorError": extractor,
    "TuningError": tuning,
    "WeightsError": weights,
    "CheckFailedError": check_failed,
    "ConfigError": config,
    "WorkerError": worker,
    "OfflineError": off_line,
    "RepeatError": repeat,
    "InterruptedRunError": interrupted,
}
NOWHERE = {"UsageError", "UnknownNameError", "CheckFailedError", "InterruptedRunError"}
"""The words themselves say what it happened to."""


def test_none_is_forgotten():
    assert set(PROVOKED) == set(ALL) - {ROOT, FAILED}


@pytest.mark.parametrize("name", PROVOKED)
def test_it_says_what_where_and_what_next(name, toys, serab, add_plugin, tones_folder, home, tmp_path, monkeypatch):
    given = {"add_plugin": add_plugin, "tones_folder": tones_folder, "home": home, "tmp_path": tmp_path}
    code, out, err = PROVOKED[name](serab, monkeypatch=monkeypatch, **given)
    if name == "CheckFailedError":
        assert code == ALL[name].exit_code
        assert "Next: fix them" in err
        return
    document = json.loads(out)
    if code == ALL[FAILED].exit_code:  # one of a run's failures
        (failure,) = document["failures"]
        document = failure["error"]
    else:
        assert code == ALL[name].exit_code
        assert f"Error ({name})" in err
    assert document["error"] == name
    assert document["exit_code"] == ALL[name].exit_code
    assert document["what"]
    assert document["next_step"], document
    assert document["where"] or name in NOWHERE, document


def test_an_unforeseen_error_of_a_job_asks_for_a_report(toys, serab, tones_folder, monkeypatch):

    prepared(serab, tones_folder)
    from serab_core.run import assemble

    monkeypatch.setattr(assemble, "choose", lambda *_: 1 / 0)
    words = ("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1", "--json")
    code, out, err = serab(*words)
    assert code == ALL[FAILED].exit_code
    (failure,) = json.loads(out)["failures"]
    assert failure["error"]["error"] == ROOT
    assert "report it" in failure["error"]["next_step"]
    assert "Traceback" not in err
    assert "Traceback" in serab("--debug", *words)[2]


def test_an_unforeseen_error_of_a_command_is_a_document_without_a_traceback(toys, serab, monkeypatch):
    from serab_core.store import home

    monkeypatch.setattr(home, "find_home", lambda: {}["nobody thought of this"])
    code, out, err = serab("data", "list", "--json")
    assert code == 1
    document = json.loads(out)
    assert (document["schema"], document["error"], document["exit_code"]) == ("serab.error/1", ROOT, 1)
    assert "KeyError" in document["what"]
    assert "--debug" in document["next_step"]
    assert "Traceback" not in err
    code, out, err = serab("--debug", "data", "list")
    assert (code, out) == (1, "")
    assert "Traceback" in err


@pytest.mark.parametrize("words", [("eval", "--nonsense"), ("data", "prepare"), ("nope",)])
def test_wrong_arguments_are_a_document_under_json(serab, words):
    code, out, err = serab(*words, "--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 2
    assert document["error"] == "UsageError"
    assert document["next_step"].startswith("serab ")
    assert document["what"] in " ".join(err.replace("│", " ").split())


def test_ctrl_c_in_any_command_is_a_document_under_json(toys, serab, tones_folder, monkeypatch):
    from serab_core.data import prepare

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "make_rows", pressed)
    code, out, err = serab("data", "prepare", "tones", str(tones_folder), "--json")
    assert code == json.loads(out)["exit_code"] == InterruptedRunError.exit_code
    assert "InterruptedRunError" in err
