"""The margin of the choice between classifiers, on results made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serab_core.report.choices import choice_text
from serab_core.score.margins import FoldChoices, choice_of, fold_choices, is_close
from serab_core.types import FoldResult, Point
from tests.results_fixtures import make_result, outcome  # noqa: F401

IDS = [f"u{i}" for i in range(8)]
TRUTH = list("aabbccdd")


def classifier(name: str, validation: float, right: int, points=()):
    """An outcome with so many of eight test utterances right."""
    predicted = [t if i < right else "abcd"["abcd".index(t) - 1] for i, t in enumerate(TRUTH)]
    made = outcome(name, TRUTH, predicted, IDS, validation)
    return replace(made, points=tuple(Point({"a": i}, score) for i, score in enumerate(points)) or made.points)


@pytest.fixture
def result_of(make_result):  # noqa: F811
    """`result_of("svc", *outcomes)`: a result on eight test and 100 validation utterances."""

    def build(chosen, *outcomes, objective="accuracy", selection="validation", **fields):
        base = make_result("x", "emodb", 1.0)
        scores = next(o.scores for o in outcomes if o.classifier == chosen)
        rules = {**base.provenance["protocol"], "objective": objective, "selection": selection}
        counts = {"train": 200, "validation": 100, "test": 8}
        result = replace(base, counts=counts, chosen=chosen, scores=scores, outcomes=outcomes,
                         provenance={**base.provenance, "protocol": rules},
                         speakers=dict.fromkeys(IDS, "s"))  # fmt: skip
        return replace(result, **fields)

    return build


def test_a_choice_by_one_utterance_names_every_runner_up(result_of):
    result = result_of(
        "svc", classifier("lda", 0.80, 8), classifier("lr", 0.85, 4), classifier("rf", 0.85, 3),
        classifier("svc", 0.86, 6, (0.86, 0.5, 0.86, None, 0.86)),
    )  # fmt: skip
    choice = choice_of(result)
    assert (choice.classifier, choice.split, choice.metric, choice.score) == ("svc", "validation", "accuracy", 0.86)
    assert [runner_up.classifier for runner_up in choice.runners_up] == ["lr", "rf"]
    assert [runner_up.scores["accuracy"] for runner_up in choice.runners_up] == [4 / 8, 3 / 8]
    assert (choice.margin_utterances, choice.utterances, choice.close, choice.tied) == (1, 100, True, False)
    assert (choice.tied_points, choice.points) == (3, 5)
    assert is_close(result)
    assert choice_text(result) == (
        "SVC by 1 utterance of 100 on validation, before LR and RF. On test (Acc. %, UAR %): SVC 75.0, 75.0; "
        "LR 50.0, 50.0; RF 37.5, 37.5. 3 of 5 points of SVC have its best validation score; the first one is used."
    )


def test_two_utterances_are_not_close(result_of):
    result = result_of("lda", classifier("lda", 0.87, 8), classifier("svc", 0.85, 6))
    choice = choice_of(result)
    assert (choice.margin_utterances, choice.close, choice.tied_points) == (2, False, 1)
    assert not is_close(result)
    assert choice_text(result).startswith("LDA by 2 utterances of 100 on validation, before SVC. On test")


def test_a_tie_is_named(result_of):
    result = result_of("rf", classifier("rf", 0.86, 8), classifier("svc", 0.86, 6), classifier("lda", 0.5, 6))
    choice = choice_of(result)
    assert choice.tied
    assert choice.close
    assert (choice.margin, choice.margin_utterances) == (0.0, 0)
    assert choice_text(result).startswith("a tie: SVC has the same accuracy on validation, and RF stands first. On")


def test_the_choice_on_test_counts_test_utterances(result_of):
    result = result_of("lda", classifier("lda", 0.5, 7), classifier("svc", 0.9, 6), selection="test")
    choice = choice_of(result)
    assert (choice.split, choice.utterances, choice.score) == ("test", 8, 7 / 8)
    assert (choice.margin_utterances, choice.close) == (1, True)


@pytest.mark.parametrize(("other", "close"), [(0.853, True), (0.8501, True), (0.8401, False)])
def test_a_margin_of_uar_is_close_if_one_utterance_certainly_closes_it(result_of, other, close):
    result = result_of("lda", classifier("lda", 0.86, 8), classifier("svc", other, 6), objective="uar")
    choice = choice_of(result)
    assert (choice.margin_utterances, choice.close) == (None, close)
    assert f"LDA by {100 * (0.86 - other):.1f} points of UAR on validation, before SVC" in choice_text(result)


def test_equal_recalls_that_are_added_in_another_order_are_a_tie(result_of):
    first, second = (0.1 + 0.2 + 0.3) / 3, (0.3 + 0.2 + 0.1) / 3
    assert first != second
    assert choice_of(result_of("lda", classifier("lda", first, 8), classifier("svc", second, 6), objective="uar")).tied


def test_one_classifier_has_no_runner_up(result_of):
    failed = replace(classifier("qda", 0.9, 8), params=None, validation=None, test=None, scores={})
    result = result_of("lda", classifier("lda", 0.86, 8), failed)
    choice = choice_of(result)
    assert (choice.runners_up, choice.margin, choice.margin_utterances, choice.close) == ((), None, None, False)
    assert choice_text(result) == ""


def test_a_margin_that_is_no_number_of_utterances_is_stated_in_points(result_of):
    result = result_of("lda", classifier("lda", 0.8637, 8), classifier("svc", 0.85, 6))
    assert choice_of(result).margin_utterances is None
    assert choice_text(result).startswith("LDA by 1.4 points of accuracy on validation, before SVC.")


def test_a_result_without_the_rule_of_its_protocol(result_of):
    by_name = result_of("lda", classifier("lda", 0.86, 8), classifier("svc", 0.85, 6), objective=None)
    assert choice_of(by_name).metric == "accuracy"
    assert choice_of(replace(by_name, protocol="strict")).metric == "uar"
    unknown = replace(by_name, protocol="elsewhere")
    assert choice_of(unknown) is None
    assert choice_text(unknown) == ""
    assert not is_close(unknown)


def test_folds_count_close_choices(result_of):
    def fold(name, chosen, validation):
        counts = {"train": 10, "validation": 10, "test": 4}
        return FoldResult(name, (name,), counts, chosen, {name: {} for name in validation}, validation, (), {})

    folds = (
        fold("a", "lda", {"lda": 0.5, "svc": 0.5}),
        fold("b", "lda", {"lda": 0.6, "svc": 0.5, "qda": None}),
        fold("c", "svc", {"lda": 0.5, "svc": 0.7}),
        fold("d", "svc", {"svc": 0.7}),
    )
    result = result_of("lda", classifier("lda", 0.5, 8), classifier("svc", 0.5, 8), folds=folds)
    assert choice_of(result) is None
    assert fold_choices(result) == FoldChoices(4, 2, 1)
    assert choice_text(result) == "The choice depends on at most one utterance in 2 of 4 folds, 1 of them a tie."
    assert is_close(result)
