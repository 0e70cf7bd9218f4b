"""What names a study and a result: each part that a score depends on, and nothing else."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from serab_core import plugins
from serab_core.data.protocols import PROTOCOLS, with_tuner
from serab_core.errors import TuningError
from serab_core.run.evaluation import Evaluation
from serab_core.run.identity import require_same_classifier
from serab_core.run.plan import make_plan
from serab_core.tune import classifier
from serab_core.tune.classifier import StudyIdentity, study_fields

GRID = PROTOCOLS["serab"]
TPE = with_tuner(GRID, "tpe", 8)


@pytest.fixture
def parts(prepared_tones):
    """What a study's name is made of."""
    return {
        "spec": plugins.classifier("knn"),
        "protocol": GRID,
        "task": prepared_tones.task(GRID),
        "embeddings_id": "e",
        "libraries": {"scikit-learn": "1.9"},
    }


def key(parts, **changed) -> str:
    return StudyIdentity.of(study_fields(**(parts | changed))).study


def test_a_study_is_named_by_each_part_that_its_outcome_depends_on(parts, monkeypatch):
    spec, task = parts["spec"], parts["task"]
    found = [
        key(parts),
        key(parts, embeddings_id="f"),
        key(parts, libraries={"scikit-learn": "2.0"}),
        key(parts, libraries={}),
        *(
            key(parts, spec=replace(spec, **change))
            for change in ({"name": "other"}, {"version": "99"}, {"search_space": {"k": (1, 2, 99)}})
        ),
        *(
            key(parts, protocol=replace(GRID, **change))
            for change in ({"seed": 1}, {"objective": "uar"}, {"normalisation": "train"}, {"tuner": "tpe", "trials": 8})
        ),
        key(parts, protocol=replace(TPE, trials=9)),
        *(key(parts, task=replace(task, **change)) for change in ({"digest": "x"}, {"audio_digest": "y"})),
    ]
    monkeypatch.setattr(classifier, "TUNING_VERSION", 99)
    found.append(key(parts))
    assert len(set(found)) == len(found)


def test_words_and_order_name_nothing(parts):
    spec, protocol = parts["spec"], parts["protocol"]
    assert key(parts, spec=replace(spec, title="Other", order=99)) == key(parts)
    other = replace(protocol, name="other", summary="x", caution="y", classifiers=("knn",), trials=9)
    assert key(parts, protocol=other) == key(parts)


def test_a_wider_space_counts_where_it_is_searched(parts):
    spec = parts["spec"]
    wider = replace(spec, wide_space={"k": (1, 2, 3, 4, 5)})
    assert key(parts, spec=wider) == key(parts)
    assert key(parts, spec=wider, protocol=TPE) != key(parts, protocol=TPE)


def test_trials_of_one_search_are_kept_when_more_are_asked_for(parts):
    """A journal is shared by searches of more and fewer trials; outcomes are not."""
    few, many = (
        StudyIdentity.of(study_fields(**(parts | {"protocol": replace(TPE, trials=trials)}))) for trials in (8, 9)
    )
    assert few.journal() == many.journal()
    assert few.study != many.study


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row["cut"].update(default=[row["cut"]["default"][0], "moved"]),
        lambda row: row["cut"].update(default=["another group", row["cut"]["default"][1]]),
        lambda row: row.update(label="mid" if row["label"] == "low" else "low"),
        lambda row: row.update(speaker="nobody"),
        lambda row: row.update(id="other"),
        lambda row: row["cut"].pop("default"),
    ],
    ids=["split", "group", "label", "speaker", "id", "left out"],
)
def test_a_task_is_named_by_its_utterances(prepared_tones, change):
    """Held against a changed copy of its index."""
    task, index = prepared_tones.task(GRID), copy.deepcopy(prepared_tones.index)
    change(index["utterances"][0])
    assert replace(prepared_tones, index=index).task(GRID).digest != task.digest
    index = copy.deepcopy(prepared_tones.index)
    index["labels"].reverse()
    assert replace(prepared_tones, index=index).task(GRID).digest != task.digest
    index["labels"].reverse()
    index["utterances"][0].update(file="elsewhere.wav", duration=9.0)
    assert replace(prepared_tones, index=index).task(GRID).digest == task.digest


def test_a_result_is_named_by_its_studies_and_how_it_was_chosen(prepared_tones, home, quiet):
    def named(protocol, *classifiers, extractor="toy"):
        plan = make_plan(home, [extractor], ["tones"], protocol, classifiers)
        return Evaluation.of(plan, plan.extractors[0], plan.tasks[0]).identity.key

    found = [
        named(GRID, "knn"),
        named(GRID, "centroid"),
        named(GRID, "knn", "centroid"),
        named(replace(GRID, selection="test"), "knn"),
        named(replace(GRID, name="other"), "knn"),
        named(replace(GRID, seed=7), "knn"),
        named(TPE, "knn"),
        named(GRID, "knn", extractor="toy/wide"),
    ]
    assert len(set(found)) == len(found)
    assert named(GRID, "knn", "centroid") == named(GRID, "centroid", "knn")
    assert named(replace(GRID, summary="x"), "knn") == named(GRID, "knn")


@pytest.mark.parametrize("field", ["version", "code", "libraries"])
def test_a_worker_with_another_classifier_stores_nothing(prepared_tones, home, quiet, field):
    plan = make_plan(home, ["toy"], ["tones"], GRID, ["knn"])
    evaluation = Evaluation.of(plan, plan.extractors[0], plan.tasks[0])
    study = evaluation.identity.studies["knn"]
    require_same_classifier(study.spec, study.identity)
    planned = StudyIdentity.of({**study.identity.fields, field: "of another environment"})
    with pytest.raises(TuningError, match=rf"differs in this worker .*{field}"):
        evaluation._tune_job(replace(study, identity=planned)).work()
    assert not list(home.studies.glob("*.json"))
