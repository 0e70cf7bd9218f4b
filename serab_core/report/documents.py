"""The JSON documents of `serab eval --json`. Their types are in `serab_core/documents`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.data.protocols import SUITE
from serab_core.score.aggregate import unweighted_mean
from serab_core.score.board import shown_metrics
from serab_core.score.bootstrap import task_draws
from serab_core.score.classes import class_scores_of
from serab_core.score.folds import fold_summaries
from serab_core.score.margins import choice_of, fold_choices
from serab_core.score.probe import probe_score
from serab_core.score.seeds import seed_summary

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.score.seeds import SeedSummary
    from serab_core.types import ClassifierOutcome, FoldResult, Run, TaskResult

EVAL_SCHEMA = "serab.eval/2"


def eval_document(run: Run, files: dict[str, Path]) -> dict[str, Any]:
    """Return a run as the JSON document that `serab eval --json` prints.

    Args:
        run: the run.
        files: the file of each result by its key.
    """
    classes = [result for result in run.results if result.target is None]
    aggregates = [unweighted_mean(name, classes, SUITE) for name in run.extractors]
    return {
        "schema": EVAL_SCHEMA,
        "protocol": {**asdict(run.protocol), "classifiers": list(run.protocol.classifiers)},
        "extractors": list(run.extractors),
        "tasks": list(run.tasks),
        "results": [
            _result(result, str(files[result.key]), result.key in run.reused, seed_summary(result, run.seeds))
            for result in run.results
        ],
        "aggregates": [
            {
                "extractor": a.extractor,
                "kind": "UM",
                "of": len(SUITE),
                "tasks": list(a.tasks),
                "missing": list(a.missing),
                "accuracy": a.accuracy,
                "uar": a.uar,
                "macro_recall": a.macro_recall,
            }
            for a in aggregates
        ],
        "failures": [{"extractor": f.extractor, "task": f.task, "error": dict(f.error)} for f in run.failures],
        "missing_tasks": list(run.missing),
        "notices": list(run.notices),
    }


def _result(result: TaskResult, file: str, reused: bool, seeds: SeedSummary | None) -> dict[str, Any]:
    draws, metric = task_draws(result), "accuracy" if result.target is None else "ccc"
    choice, of_folds = choice_of(result), fold_choices(result)
    return {
        "extractor": result.extractor,
        "task": result.task,
        "language": result.language,
        "protocol": result.protocol,
        "variant": result.variant,
        "counts": dict(result.counts),
        "target": result.target,
        "accuracy": result.scores.get("accuracy"),
        "uar": result.scores.get("uar"),
        "scores": dict(result.scores),
        "intervals": {name: asdict(draws.interval(name)) for name in shown_metrics(metric, result.protocol)},
        "classes": {}
        if result.target is not None
        else {label: asdict(scores) for label, scores in class_scores_of(draws.test).items()},
        "chosen": result.chosen,
        "params": dict(result.outcome().params or {}),
        "probe": probe_score(result),
        "choice": None if choice is None else asdict(choice),
        "fold_choices": None if of_folds is None else asdict(of_folds),
        "seeds": None if seeds is None else asdict(seeds),
        "classifiers": [_outcome(outcome) for outcome in result.outcomes],
        "synthetic": result.synthetic,
        "partial": result.partial,
        "cautions": list(result.cautions),
        "splits": result.splits,
        "faulty": result.faulty,
        "reused": reused,
        "key": result.key,
        "file": file,
        "folds": [_fold(fold) for fold in result.folds],
        "over_folds": {name: asdict(summary) for name, summary in fold_summaries(result).items()},
        **({"profile": dict(result.profile)} if result.profile else {}),
    }


def _fold(fold: FoldResult) -> dict[str, Any]:
    return {
        "name": fold.name,
        "test_speakers": list(fold.test_speakers),
        "counts": dict(fold.counts),
        "chosen": fold.chosen,
        "params": dict(fold.params[fold.chosen] or {}),
        "validation": fold.validation[fold.chosen],
        "scores": dict(fold.scores),
    }


def _outcome(outcome: ClassifierOutcome) -> dict[str, Any]:
    failed = [point for point in outcome.points if point.failed]
    return {
        "classifier": outcome.classifier,
        "params": None if outcome.params is None else dict(outcome.params),
        "validation": outcome.validation,
        "accuracy": outcome.scores.get("accuracy"),
        "uar": outcome.scores.get("uar"),
        "scores": dict(outcome.scores),
        "points": len(outcome.points),
        "failed_points": [{"params": dict(point.params), "reason": point.reason} for point in failed],
    }
