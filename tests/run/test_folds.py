"""Runs over folds: shared embeddings, pooled predictions, every command, resumption, and corpora's own folds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serab_core.data.folds import fold_tasks
from serab_core.data.prepared import load
from serab_core.data.protocols import PROTOCOLS, find_protocol
from serab_core.engine.executors import LocalEngine
from serab_core.errors import InterruptedRunError, StoreError
from serab_core.run.evaluate import evaluate
from serab_core.run.plan import make_plan
from serab_core.score.bootstrap import task_draws
from serab_core.score.folds import fold_summary, select_predictions
from serab_core.score.outcome import scores_of
from serab_core.score.validity import result_fault
from serab_core.store.results import read_result
from serab_core.types import CHOSEN_IN_EACH_FOLD
from tests.run.test_evaluate import stored, stored_after


@pytest.fixture
def run(prepared_tones, home, quiet):
    def call(*extractors, jobs=1, protocol="loso", classifiers=("centroid", "knn"), tasks=("tones",)):
        plan = make_plan(home, extractors, tasks, find_protocol(protocol), classifiers)
        done = evaluate(plan, quiet, LocalEngine(jobs))
        assert done.failures == ()
        return done

    return call


def test_every_speaker_is_tested_and_nothing_is_embedded_twice(run, home):
    from serab_toys import extractors

    run("toy", protocol="strict")
    extractors.CALLS.clear()
    (result,) = run("toy").results
    assert extractors.CALLS == []
    assert result.counts == {"test": 54}
    test = result.outcome().test
    assert test.ids == tuple(sorted(test.ids))
    assert len(test.ids) == 54
    assert [fold.name for fold in result.folds] == list("abcdef")
    for fold in result.folds:
        assert {result.speakers[identifier] for identifier in fold.test} == set(fold.test_speakers) == {fold.name}
        assert fold.counts == {"train": 36, "validation": 9, "test": 9}
        assert fold.scores == scores_of(select_predictions(test, fold.test))
        assert fold.validation[fold.chosen] == max(value for value in fold.validation.values() if value is not None)
    assert result_fault(result) == ""
    assert read_result(next(home.results.rglob("loso-*.json"))) == result
    assert (task_draws(result).groups, task_draws(result).method) == (6, "bootstrap")
    summary = fold_summary(result, "uar")
    values = [fold.scores["uar"] for fold in result.folds]
    assert (summary.folds, summary.low, summary.high) == (6, min(values), max(values))
    assert summary.mean == pytest.approx(np.mean(values))
    assert summary.deviation == pytest.approx(np.std(values, ddof=1))
    assert fold_summary(replace(result, folds=()), "uar") is None
    again = run("toy")
    assert again.reused == {result.key}
    assert again.results == (result,)


def test_a_fold_is_what_the_same_split_gives_alone(run, home, quiet):
    """Each fold has the outcomes of a run on its split, without any other fold."""
    from serab_core.run.evaluation import Evaluation

    (result,) = run("toy").results
    plan = make_plan(home, ["toy"], ["tones"], PROTOCOLS["loso"], ["centroid", "knn"])
    for fold, one in zip(result.folds, fold_tasks(plan.tasks[0]), strict=True):
        alone = Evaluation.of(plan, plan.extractors[0], one)
        assert alone.points_to_tune() == 0  # loads the outcomes
        for name, outcome in alone.outcomes.items():
            assert outcome.params == fold.params[name]
            assert outcome.validation == fold.validation[name]
            assert outcome.test == select_predictions(result.outcome(name).test, outcome.test.ids)
        assert alone.outcomes[fold.chosen].scores["accuracy"] == fold.scores["accuracy"]


def test_the_classifier_is_chosen_in_each_fold(run, monkeypatch):
    from serab_core.run import assemble
    from serab_core.score.choose import choose

    names = iter(["centroid", "knn"] * 3)

    def alternate(outcomes, protocol, where=""):
        choose(outcomes, protocol, where)
        name = next(names)
        return next(outcome for outcome in outcomes if outcome.classifier == name)

    monkeypatch.setattr(assemble, "choose", alternate)
    (result,) = run("toy").results
    assert (result.chosen, result.outcome().title) == (CHOSEN_IN_EACH_FOLD, "chosen in each fold")
    assert [fold.chosen for fold in result.folds] == ["centroid", "knn"] * 3
    for fold in result.folds:
        expected = select_predictions(result.outcome(fold.chosen).test, fold.test).predicted
        assert select_predictions(result.outcome().test, fold.test).predicted == expected
    assert result_fault(result) == ""


def test_random_draws(run):
    (result,) = run("toy", protocol="repeated+draws=4").results
    assert result.protocol == "repeated+draws=4"
    assert [fold.name for fold in result.folds] == ["1", "2", "3", "4"]
    assert result.counts == {"test": 4 * 18}
    assert all(identifier.startswith(f"{fold.name}/") for fold in result.folds for identifier in fold.test)
    assert {result.speakers[identifier] for identifier in result.folds[0].test} == set(result.folds[0].test_speakers)
    assert result_fault(result) == ""
    more = run("toy", protocol="repeated+draws=5")
    assert more.results[0].folds[:4] == tuple(
        replace(fold, test=tuple(fold.test)) for fold in result.folds
    )  # the same draws, and one more


def test_corpus_statistics_are_of_the_training_part_of_each_fold(run):
    (result,) = run("toy/corpus").results
    states = result.provenance["corpus_states"]
    assert list(states) == list("abcdef")
    assert len({json.dumps(state) for state in states.values()}) == 6
    assert result.provenance["corpus_state"] is None


def test_workers_and_one_process_store_the_same_bytes(run, home):
    run("toy", "toy/corpus", jobs=1)
    once = stored(home)
    for room in (home.embeddings, home.results, home.studies):
        for path in sorted(room.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    run("toy", "toy/corpus", jobs=2)
    assert stored(home) == once


def test_ctrl_c_keeps_what_was_finished(run, home, monkeypatch):
    from serab_toys import classifiers

    whole = stored_after(run, home)
    calls, original = [], classifiers.Centroid.fit

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(classifiers.Centroid, "fit", interrupted)
    with pytest.raises(InterruptedRunError, match="run the same command again"):
        run("toy")
    monkeypatch.setattr(classifiers.Centroid, "fit", original)
    run("toy")
    assert stored(home) == whole


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_damaged_shard_is_computed_again_for_all_folds(run, home, jobs):
    (before,) = run("toy").results
    for path in (*home.results.rglob("*.json"), *home.studies.glob("*.json"), *home.studies.glob("*.h5")):
        path.unlink()
    shard = min(home.embeddings.rglob("*.h5"))
    shard.write_bytes(shard.read_bytes()[:-200])
    done = run("toy", jobs=jobs)
    assert done.results == (before,)
    assert sum("put in quarantine and computed again" in notice for notice in done.notices) == 1


def test_what_a_stored_result_may_not_say(run):
    (result,) = run("toy").results
    first, *others = result.folds
    wrong = {
        "each of its utterances once": replace(result, folds=tuple(others)),
        "its folds do not": replace(result, folds=(first, first, *others[1:])),
        "a speaker that is not": replace(result, folds=(replace(first, test_speakers=("z",)), *others)),
        "no outcome of its chosen": replace(result, folds=(replace(first, chosen="svm"), *others)),
        "is not that of its predictions": replace(result, folds=(replace(first, scores={"uar": 0.123}), *others)),
        "that its predictions do not give": replace(result, folds=(replace(first, scores={"luck": 1.0}), *others)),
    }
    for said, changed in wrong.items():
        assert said in result_fault(changed)


def test_every_command_knows_folds(prepared_tones, serab, tmp_path):
    common = ("--tasks", "tones", "--protocol", "loso", "-c", "centroid,knn")
    code, out, err = serab("eval", "toy", "toy/wide", *common, "--details")
    assert code == 0, err
    text = " ".join(out.split())
    assert "mean and spread of the folds" in text
    assert "toy on tones: every fold" in text
    assert "6 folds, each of which tests one speaker" in text
    document = json.loads(serab("eval", "toy", *common, "--json")[1])
    (result,) = document["results"]
    assert [fold["name"] for fold in result["folds"]] == list("abcdef")
    assert result["over_folds"]["uar"]["folds"] == 6
    assert result["over_folds"]["uar"]["mean"] == pytest.approx(np.mean([f["scores"]["uar"] for f in result["folds"]]))
    assert document["protocol"]["splits"] == "speakers"
    with_protocol = ("--protocol", "loso")
    board = json.loads(serab("leaderboard", *with_protocol, "--json")[1])
    assert {row["extractor"] for row in board["rows"]} == {"toy", "toy/wide"}
    compared = json.loads(serab("compare", "toy", "toy/wide", *with_protocol, "--json")[1])
    assert compared["tasks"]["tones"]["speakers"] == 6
    fair = json.loads(serab("fairness", "toy", *with_protocol, "--json")[1])
    assert {group["name"] for group in fair["tasks"]["tones"]["speakers"]} == set("abcdef")
    assert serab("optimism", *with_protocol)[0] == 0
    assert "tones" in serab("results", "card", "toy", *with_protocol)[1]
    page = tmp_path / "report.html"
    assert serab("report", *with_protocol, "--output", str(page))[0] == 0
    assert "6 folds" in page.read_text()
    exported = tmp_path / "results.json"
    assert serab("results", "export", str(exported))[0] == 0
    assert '"folds"' in exported.read_text()
    assert serab("results", "import", str(exported))[0] == 0
    studies = json.loads(serab("studies", "ls", "--json")[1])["studies"]
    assert {study["fold"] for study in studies} == set("abcdef")
    assert "loso, fold f" in " ".join(serab("studies", "ls")[1].split())
    code, _, err = serab("eval", "toy", "--tasks", "tones", "--protocol", "iemocap-5fold")
    assert (code, "iem4 only" in " ".join(err.split())) == (2, True)


def test_the_score_with_one_split_is_of_the_same_search_and_seed(prepared_tones, serab):
    def one_split(protocol: str, classifiers: str) -> bool | None:
        common = ("--tasks", "tones", "-c", classifiers, "--protocol")
        strict = json.loads(serab("eval", "toy", *common, protocol.replace("loso", "strict"), "--json")[1])
        assert serab("eval", "toy", "--tasks", "tones", "-c", "centroid,knn", "--protocol", protocol)[0] == 0
        (row,) = json.loads(serab("leaderboard", "--protocol", protocol, "--json")[1])["rows"]
        cell = row["scores"]["tones"]
        assert cell["over_folds"]["uar"]["folds"] == 6
        return cell["one_split"] == strict["results"][0]["uar"] if cell["one_split"] is not None else None

    assert one_split("loso", "centroid") is None  # another search
    assert one_split("loso", "centroid,knn") is True
    assert one_split("loso+seed=43", "centroid") is None  # the seed 42 does not count
    assert one_split("loso+seed=43", "centroid,knn") is True


def test_what_needs_one_split_refuses_folds(prepared_tones, serab, tmp_path, monkeypatch):
    serab("eval", "toy", "--tasks", "tones", "--protocol", "loso", "-c", "centroid")
    target = str(tmp_path / "out")
    for words in (
        ("export", "toy", "--task", "tones", "--output", target),
        ("cache", "export", "toy", "--task", "tones", "--to", f"{target}.npz"),
    ):
        code, _, err = serab(*words, "--protocol", "loso")
        assert (code, "choose a protocol with one split: --protocol strict" in " ".join(err.split())) == (2, True)
    assert list(tmp_path.glob("out*")) == []
    monkeypatch.setenv("SERAB_PROTOCOL", "folds")  # the corpus has none
    assert json.loads(serab("data", "show", "tones", "--json")[1])["chance"]


def test_few_test_speakers_are_told(prepared_tones, serab):
    code, out, _ = serab("eval", "toy", "--tasks", "tones", "-c", "centroid")
    assert code == 0
    text = " ".join(out.split())
    assert "Few test speakers: tones (2)." in text
    assert "`serab eval toy --tasks tones --protocol loso` tests every speaker once." in text
    assert (
        "Few test speakers" not in serab("eval", "toy", "--tasks", "tones", "-c", "centroid", "--protocol", "loso")[1]
    )


@pytest.fixture
def manifest(tones_folder):
    def write(fold_of) -> Path:
        rows = [
            f"{file.relative_to(tones_folder)},{file.stem.split('_')[1]},{file.stem[0]},{fold_of(file.stem)}"
            for file in sorted(tones_folder.rglob("*.wav"))
        ]
        path = tones_folder / "mine.csv"
        path.write_text("\n".join(["path,label,speaker,fold", *rows]))
        return path

    return write


def test_folds_of_a_users_corpus(manifest, serab, home):
    path = manifest(lambda stem: f"part {'abcdef'.index(stem[0]) // 2 + 9}")
    code, out, err = serab("data", "add", "mine", str(path))
    assert code == 0, err
    assert "3 folds, each tested once by the protocol folds" in " ".join(out.split())
    code, out, err = serab("eval", "toy", "--tasks", "mine", "--protocol", "folds", "-c", "centroid", "--json")
    assert code == 0, err
    (result,) = json.loads(out)["results"]
    assert [(fold["name"], fold["test_speakers"]) for fold in result["folds"]] == [
        ("part 9", ["a", "b"]), ("part 10", ["c", "d"]), ("part 11", ["e", "f"])
    ]  # fmt: skip
    assert result["splits"] == "3 folds of the corpus; no speaker is in two of them"
    loso = json.loads(serab("eval", "toy", "--tasks", "mine", "--protocol", "loso", "-c", "centroid", "--json")[1])
    assert any("such as a session" in caution for caution in loso["results"][0]["cautions"])
    assert serab("data", "add", "mine", str(path), "--fold", "none")[0] == 0
    assert all("fold" not in row for row in load(home, "mine").index["utterances"])
    code, _, err = serab("eval", "toy", "--tasks", "mine", "--protocol", "folds")
    assert (code, "defines no folds" in err) == (2, True)


def test_folds_that_share_speakers_or_are_not_complete(manifest, serab):
    code, out, _ = serab("data", "add", "mine", str(manifest(lambda stem: stem[-1])))
    assert code == 0
    assert "3 folds, which the protocol folds refuses: 6 speakers are in more than one of them" in " ".join(out.split())
    code, _, err = serab("eval", "toy", "--tasks", "mine", "--protocol", "folds")
    assert code != 0
    assert "a test speaker would be in training" in " ".join(err.split())
    code, _, err = serab("data", "add", "mine", str(manifest(lambda stem: "" if stem == "a_low_0" else stem[0])))
    assert code != 0
    assert "gives no fold to wav/a_low_0.wav" in " ".join(err.split())
    code, out, _ = serab("data", "add", "mine", str(manifest(lambda stem: "train" if stem[0] < "e" else "test")))
    assert code == 0
    assert " folds, " not in out
    assert serab("data", "add", "mine", str(manifest(lambda stem: stem[0])), "--fold", "nothing")[0] != 0


@pytest.mark.standard
def test_pooled_predictions_are_those_of_a_plain_scikit_learn_loop(shared, home, serab):
    """LDA and LR on EmoDB: the same validation speakers, points, refits and predictions."""
    from sklearn.metrics import recall_score
    from sklearn.model_selection import LeaveOneGroupOut
    from sklearn.preprocessing import StandardScaler

    from serab_core.embed.blocks import cut_blocks, read_blocks

    assert serab("data", "prepare", "emodb", str(shared / "data" / "emodb.zip"))[0] == 0
    code, out, err = serab(
        "eval", "mfcc-stats", "--tasks", "emodb", "--protocol", "loso", "-c", "lda,lr", "-j", "2", "--json"
    )
    assert code == 0, err
    (document,) = json.loads(out)["results"]
    result = read_result(Path(document["file"]))
    plan = make_plan(home, ["mfcc-stats"], ["emodb"], PROTOCOLS["loso"], ["lda", "lr"])
    task, extractor = plan.tasks[0], plan.extractors[0]
    X = read_blocks(cut_blocks(home, task, extractor.fingerprint, None)).astype(np.float64)
    y = np.array([u.label for u in task.utterances])
    speakers = np.array([u.speaker for u in task.utterances])
    ids = np.array([u.id for u in task.utterances])
    folds = {fold.test_speakers: fold for fold in task.folds}
    for spec in extractor.classifiers:
        predicted = {}
        for rest, test in LeaveOneGroupOut().split(X, y, speakers):
            fold = folds[tuple(sorted(set(speakers[test])))]
            validates = np.array([fold.splits[speaker] == "validation" for speaker in speakers])
            train = np.setdiff1d(rest, np.flatnonzero(validates))
            features = StandardScaler().fit(X[train]).transform(X)
            params = dict(next(f for f in result.folds if f.name == fold.name).params[spec.name])
            model = spec.reference(params, PROTOCOLS["loso"].seed)
            order = np.r_[train, np.flatnonzero(validates)]
            predicted |= dict(zip(ids[test], model.fit(features[order], y[order]).predict(features[test]), strict=True))
        outcome = result.outcome(spec.name)
        same = np.mean([predicted[i] == p for i, p in zip(outcome.test.ids, outcome.test.predicted, strict=True)])
        assert same == 1.0
        uar = recall_score(outcome.test.truth, outcome.test.predicted, average="macro")
        assert outcome.scores["uar"] == pytest.approx(uar)


def test_a_shard_that_is_damaged_again_and_again_fails_the_evaluation(prepared_tones, home, quiet, monkeypatch):
    from serab_core.run import jobs

    def damaged(blocks):
        raise StoreError("is damaged", where=blocks[0].shard.path)

    plan = make_plan(home, ["toy"], ["tones"], PROTOCOLS["loso"], ["centroid"])
    monkeypatch.setattr(jobs, "read_blocks", damaged)
    done = evaluate(plan, quiet, LocalEngine(1))
    assert [failure.error["what"] for failure in done.failures] == ["is damaged"]
