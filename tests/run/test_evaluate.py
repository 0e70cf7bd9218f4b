"""Whole runs on toy plugins: in one process, in several, interrupted, damaged, failing in part."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from serab_core import plugins
from serab_core.data.prepared import prepared_names
from serab_core.data.protocols import PROTOCOLS
from serab_core.engine.executors import LocalEngine
from serab_core.engine.worker import report, report_to
from serab_core.errors import InterruptedRunError, NotPreparedError, PluginError, UnknownNameError, UsageError
from serab_core.run.evaluate import evaluate
from serab_core.run.plan import make_plan, prepare_generated
from serab_core.store.results import read_result
from serab_core.system import cpu
from serab_core.system.session import current_session
from serab_core.system.timing import PHASES


@pytest.fixture
def run(prepared_tones, home, quiet):
    def call(*extractors, jobs=1, protocol="serab", classifiers=("centroid", "knn"), tasks=("tones",)):
        plan = make_plan(home, extractors, tasks, PROTOCOLS[protocol], classifiers)
        return evaluate(plan, quiet, LocalEngine(jobs))

    return call


def stored(home) -> dict[str, bytes]:
    kinds = (".json", ".h5")
    rooms = (home.embeddings, home.results)
    paths = [p for room in rooms for p in room.rglob("*") if p.suffix in kinds]
    paths += home.studies.glob("*.json")
    return {str(p.relative_to(home.root)): p.read_bytes() for p in paths}


def test_a_run_scores_stores_and_tells_trackers(run, home):
    from serab_toys import recorder

    done = run("toy", "toy/wide")
    assert [(r.extractor, r.task) for r in done.results] == [("toy", "tones"), ("toy/wide", "tones")]
    assert done.failures == ()
    assert done.reused == frozenset()
    result = done.results[0]
    assert result.scores["accuracy"] > 0.6  # chance is a third
    assert result.counts == {"train": 27, "validation": 9, "test": 18}
    assert [o.classifier for o in result.outcomes] == ["centroid", "knn"]
    failed = [p for p in result.outcome("centroid").points if p.score is None]
    assert [(p.params, p.reason) for p in failed] == [({"shrink": 2.0}, "cannot shrink beyond the mean")]
    assert [p.reason for p in result.outcome("knn").points if p.score is None] == ["k=10000 of 27"]
    assert len(result.outcome("knn").test.ids) == 18
    files = list(home.results.rglob("*.json"))
    assert sorted(p.parent.parent.name for p in files) == ["toy", "toy--wide"]
    assert asdict(read_result(next(p for p in files if "wide" not in str(p)))) == asdict(result)
    provenance = result.provenance
    assert provenance["fingerprint"]["extractor"] == "toy"
    assert provenance["dataset"]["variant"] == "default"
    assert provenance["seeds"]["split"] == 0
    assert provenance["plugins"]["serab-toys"] == "1.2"
    assert provenance["machine"]["cores"] >= 1
    with pytest.raises(KeyError):
        result.outcome("svc")
    assert recorder.EVENTS[0] == ("started", ("toy", "toy/wide"), ("tones",))
    assert recorder.EVENTS[-1] == ("finished", 2, 0)
    assert recorder.EVENTS.count(("scored", "toy", "tones")) == 1
    assert any("grumpy" in notice and "I do not like scores" in notice for notice in done.notices)


def test_a_second_run_computes_nothing(run, home):
    from serab_toys import classifiers, extractors

    first = run("toy")
    before = stored(home)
    extractors.CALLS.clear()
    classifiers.FITS.clear()
    second = run("toy")
    assert second.reused == {first.results[0].key}
    assert (extractors.CALLS, classifiers.FITS) == ([], [])
    assert stored(home) == before


def test_other_protocols_reuse_embeddings_but_not_scores(run):
    from serab_toys import extractors

    first = run("toy")
    extractors.CALLS.clear()
    strict = run("toy", protocol="strict")
    assert extractors.CALLS == []
    assert strict.reused == frozenset()
    assert strict.results[0].key != first.results[0].key
    released = run("toy", protocol="serab-released")
    assert released.results[0].cautions == (
        "optimistic: the classifier was chosen on the test set",
        "cut by takes, not speakers",
        "6 of 6 speakers are in more than one split (a, b, c, d, e and 1 more), as this variant is known to do",
    )
    assert released.results[0].splits == "the released code's splits"
    assert first.results[0].splits == "drawn by the paper's rule, over speakers"
    assert released.results[0].counts["train"] == 12


def test_workers_and_one_process_store_the_same_bytes(run, home, monkeypatch):
    run("toy", "toy/corpus", jobs=1)
    one = stored(home)
    for room in (home.embeddings, home.results, home.studies):
        for path in sorted(room.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    run("toy", "toy/corpus", jobs=2)
    assert stored(home) == one
    assert len(one) > 6


def test_corpus_statistics_are_fitted_once_on_the_training_split(run):
    from serab_toys import extractors

    done = run("toy/corpus")
    assert [call for call in extractors.CALLS if isinstance(call, tuple)] == [("fit", 27)]
    assert done.results[0].provenance["corpus_state"].keys() == {"mean"}
    extractors.CALLS.clear()
    assert run("toy/corpus").reused == {done.results[0].key}
    run("toy/corpus", protocol="strict")
    assert extractors.CALLS == []


def test_damaged_corpus_statistics_are_fitted_anew(run, home):
    from serab_toys import extractors

    run("toy/corpus")
    (state,) = home.embeddings.rglob("corpus-*.json")
    state.write_text("{")
    extractors.CALLS.clear()
    run("toy/corpus", protocol="strict")
    assert ("fit", 27) in extractors.CALLS


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_damaged_shard_is_computed_again_and_reported(run, home, jobs):
    whole = run("toy")
    shard = sorted(home.embeddings.rglob("*.h5"))[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    again = run("toy", protocol="strict", jobs=jobs)
    assert again.failures == ()
    assert any("put in quarantine and computed again" in notice for notice in again.notices)
    assert list(home.embeddings.rglob("*.bad-*"))
    assert len(list(home.embeddings.rglob("*.h5"))) == 2
    assert again.results[0].scores == whole.results[0].scores


def test_a_damaged_result_or_outcome_is_made_anew(run, home):
    first = run("toy")
    (path,) = home.results.rglob("*.json")
    good = path.read_bytes()
    path.write_bytes(good[:100])
    again = run("toy")
    assert again.reused == frozenset()
    assert any("is computed again" in notice for notice in again.notices)
    assert again.results == first.results
    for outcome in home.studies.glob("*.json"):
        value = json.loads(outcome.read_text())
        del value["outcome"]["test"]
        outcome.write_text(json.dumps(value))
    path.write_text(json.dumps(json.loads(good) | {"outcomes": [{}]}))
    assert run("toy").results == first.results
    assert path.read_bytes() == good


def test_one_extractor_that_fails_stops_no_other(run, home):
    done = run("toy-bad", "toy", "toy-bad/nan")
    assert [r.extractor for r in done.results] == ["toy"]
    assert [f.extractor for f in done.failures] == ["toy-bad/boom", "toy-bad/nan"]
    assert done.failures[0].error["error"] == "ExtractorError"
    assert done.failures[0].error["exit_code"] == 7


def test_a_worker_that_dies_is_told(run):
    done = run("toy-bad/die", "toy", jobs=2)
    (failure,) = done.failures
    assert failure.extractor == "toy-bad/die"
    assert failure.error["error"] == "WorkerError"
    assert "died 3 times out of 3" in failure.error["what"]
    assert failure.error["where"] == "embedding with toy-bad/die"
    assert [result.extractor for result in done.results] == ["toy"]  # whose jobs ran beside it


def test_classifiers_that_never_fit_or_crash(run):
    done = run("toy", classifiers=("never", "centroid"))
    assert done.results[0].chosen == "centroid"
    assert done.results[0].outcome("never").params is None
    assert any(
        notice.startswith("Classifiers searched: centroid, never; protocol serab has lda") for notice in done.notices
    )
    none = run("toy", classifiers=("never",))
    assert "no classifier could be fitted (never: it never fits)" in none.failures[0].error["what"]
    crash = run("toy", classifiers=("crash",))
    assert crash.failures[0].error["error"] == "TuningError"


def test_a_bug_of_our_own_is_shown_with_its_traceback(run, monkeypatch):

    def bug(*args):
        raise ZeroDivisionError("oh")

    from serab_core.run import assemble

    monkeypatch.setattr(assemble, "choose", bug)
    (failure,) = run("toy").failures
    assert failure.error["what"] == "ZeroDivisionError: oh"
    assert "in bug" in failure.error["traceback"]


@pytest.mark.parametrize("room", ["embed", "tune"])
def test_ctrl_c_keeps_what_was_finished(run, home, monkeypatch, room):
    from serab_toys import classifiers, extractors

    whole = stored_after(run, home)
    calls = []
    owner, method = (extractors.Toy, "embed") if room == "embed" else (classifiers.Centroid, "fit")
    original = getattr(owner, method)

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(owner, method, interrupted)
    with pytest.raises(InterruptedRunError, match="run the same command again"):
        run("toy")
    monkeypatch.setattr(owner, method, original)
    run("toy")
    assert stored(home) == whole


def stored_after(run, home) -> dict[str, bytes]:
    run("toy")
    whole = stored(home)
    for room in (home.embeddings, home.results, home.studies):
        for path in sorted(room.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    current_session().close()
    return whole


def test_ctrl_c_ends_the_workers(run, monkeypatch):
    import multiprocessing
    import signal
    import threading

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background job
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(InterruptedRunError):
            run("toy-bad/slow", jobs=2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not [p for p in multiprocessing.active_children() if p.is_alive()]


def test_plans_refuse_what_does_not_fit(prepared_tones, home, quiet):
    def plan(extractors, tasks=(), classifiers=("centroid",)):
        return make_plan(home, extractors, tasks, PROTOCOLS["serab"], classifiers)

    with pytest.raises(UsageError, match="no extractor"):
        plan([])
    with pytest.raises(UsageError, match="extractor toy is named twice"):
        plan(["toy", "toy"])
    with pytest.raises(UsageError, match="are the same extractor"):
        plan(["toy", "serab-toys:toy"])
    with pytest.raises(UnknownNameError, match="Did you mean .toy"):
        plan(["toyy"])
    with pytest.raises(UnknownNameError, match="no classifier is called 'centroyd'"):
        plan(["toy"], classifiers=["centroyd"])
    with pytest.raises(UnknownNameError, match="no task is called 'tonez'"):
        plan(["toy"], ["tonez"])
    with pytest.raises(UnknownNameError, match="no dataset is called 'zzzzzz'"):
        plan(["toy"], ["zzzzzz"])
    with pytest.raises(PluginError, match="pip install not-a-library"):
        plan(["toy-bad/library"])
    chosen = plan(["toy"])
    assert [task.name for task in chosen.tasks] == ["tones"]
    assert chosen.missing[0] == "aesdd"
    assert chosen.notices[-1].startswith("Tasks: tones")


def test_tasks_that_are_not_there(toys, home, quiet):
    def plan(tasks):
        return make_plan(home, ["toy"], tasks, PROTOCOLS["serab"], ["centroid"])

    with pytest.raises(NotPreparedError, match="prepare it with .serab.prepare..tones., .PATH.."):
        plan(["tones"])
    with pytest.raises(NotPreparedError, match="serab.prepare..hums"):
        plan(["hums"])  # planning prepares nothing
    with pytest.raises(UnknownNameError, match="toyy"):
        prepare_generated(home, ["toyy"], ["hums"], quiet)
    prepare_generated(home, ["toy"], ["tones", "hums"], quiet)  # the plan will ask for tones
    assert prepared_names(home) == ()
    prepare_generated(home, ["toy"], ["hums"], quiet)
    assert prepared_names(home) == ("hums",)
    assert plan(["hums"]).tasks[0].synthetic
    with pytest.raises((UnknownNameError, NotPreparedError), match="iem4"):  # whether its plugin is installed or not
        plan(["iem4"])


def test_a_classifier_without_its_library_is_told(prepared_tones, home, quiet, monkeypatch):
    from dataclasses import replace

    from serab_core.errors import PluginError
    from serab_core.run.identity import TaskIdentity
    from serab_core.run.jobs import Source

    spec = replace(plugins.classifier("centroid"), libraries=("not-a-library",))
    task = prepared_tones.task(PROTOCOLS["serab"])
    with pytest.raises(PluginError, match="pip install not-a-library"):
        TaskIdentity.of("toy", [spec], PROTOCOLS["serab"], Source(str(home.root), "toy", "0", task))


def test_progress_that_nobody_reads_stops_no_work():
    def gone(stage, steps):
        raise OSError("closed")

    report("embed", 1)
    report_to(gone)
    try:
        report("embed", 1)
    finally:
        report_to(None)


def test_cores_without_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cpu.available_cores() == os.cpu_count()


def test_an_extractors_pace_is_noted_down_beside_results(prepared_tones, home, serab, monkeypatch):
    from serab_core.report.board import load_leaderboard
    from serab_core.run import throughput

    monkeypatch.setattr(throughput, "MIN_AUDIO_S", 1.0)
    assert serab("eval", "toy", "--tasks", "tones", "--classifiers", "centroid", "--jobs", "1")[0] == 0
    board = load_leaderboard(home, "serab").board
    (speed,) = throughput.read_throughputs(home, board).values()
    assert speed > 1.0
    (file,) = (home.speed / "embedding").glob("*.json")
    file.write_text("{}")
    assert throughput.read_throughputs(home, board) == {}


MELS = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl
from serab_core.audio.mel import log_mels

class Mels:
    def embed(self, waveforms):
        return np.stack([mel.mean(axis=1) for mel in log_mels(waveforms)])

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("mels", Mels, 64, "log-mels", "MIT", citation="@misc{mels}", batch_size=4))
"""


def test_a_profile_is_kept_where_it_is_asked_for(prepared_tones, add_plugin, serab):
    add_plugin("serab-mels", "serab.extractors", "mels", MELS)

    def profile_of(*words):
        code, out, err = serab("eval", "mels", "--tasks", "tones", "--jobs", "1", "--json", *words)
        assert code == 0, err
        (result,) = json.loads(out)["results"]
        assert read_result(Path(result["file"])).profile == result.get("profile", {})
        return result.get("profile"), json.loads(out)["notices"]

    first, _ = profile_of("--classifiers", "centroid", "--profile")
    assert first["whole"] is True
    assert set(first["seconds"]) <= set(PHASES)
    assert {"decode", "features", "tune", "score", "store"} <= set(first["seconds"])
    assert all(seconds >= 0 for seconds in first["seconds"].values())
    assert profile_of("--classifiers", "centroid")[0] == first  # it is part of the stored result
    more, _ = profile_of("--classifiers", "centroid,knn", "--profile")
    assert more["whole"] is False  # embeddings and one classifier were there
    assert "decode" not in more["seconds"]
    assert profile_of("--classifiers", "knn")[0] is None
    assert "was stored by a run without a profile" in " ".join(profile_of("--classifiers", "knn", "--profile")[1])
    _, out, _ = serab("eval", "mels", "--tasks", "tones", "--jobs", "1", "--classifiers", "centroid", "--profile")
    assert "Time by phase" in out
    assert "decode" in out
