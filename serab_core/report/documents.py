"""The JSON documents of `serab eval --json`. Their schemas are in `report/schemas`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.data.protocols import SUITE
from serab_core.score.aggregate import unweighted_mean
from serab_core.score.bootstrap import concordance_interval

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.types import ClassifierOutcome, ContinuousResult, Run, TaskResult

EVAL_SCHEMA = "serab.eval/1"


def eval_document(run: Run, files: dict[str, Path]) -> dict[str, Any]:
    """Return a run as the JSON document that `serab eval --json` prints.

    Args:
        run: the run.
        files: the file of each result by its key.
    """
    aggregates = [unweighted_mean(name, run.results, SUITE) for name in run.extractors]
    return {
        "schema": EVAL_SCHEMA,
        "protocol": {**asdict(run.protocol), "classifiers": list(run.protocol.classifiers)},
        "extractors": list(run.extractors),
        "tasks": list(run.tasks),
        "results": [_result(result, str(files[result.key]), result.key in run.reused) for result in run.results],
        "continuous": [
            _continuous(result, str(files[result.key]), result.key in run.reused) for result in run.continuous
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
            }
            for a in aggregates
        ],
        "failures": [{"extractor": f.extractor, "task": f.task, "error": dict(f.error)} for f in run.failures],
        "missing_tasks": list(run.missing),
        "notices": list(run.notices),
    }


def _result(result: TaskResult, file: str, reused: bool) -> dict[str, Any]:
    return {
        "extractor": result.extractor,
        "task": result.task,
        "language": result.language,
        "protocol": result.protocol,
        "variant": result.variant,
        "counts": dict(result.counts),
        "accuracy": result.accuracy,
        "uar": result.uar,
        "chosen": result.chosen,
        "params": dict(result.outcome(result.chosen).params or {}),
        "classifiers": [_outcome(outcome) for outcome in result.outcomes],
        "synthetic": result.synthetic,
        "partial": result.partial,
        "cautions": list(result.cautions),
        "splits": result.splits,
        "faulty": result.faulty,
        "reused": reused,
        "key": result.key,
        "file": file,
        **({"profile": dict(result.profile)} if result.profile else {}),
    }


def _continuous(result: ContinuousResult, file: str, reused: bool) -> dict[str, Any]:
    reach = concordance_interval(result)
    return {
        "extractor": result.extractor,
        "task": result.task,
        "target": result.target,
        "protocol": result.protocol,
        "variant": result.variant,
        "counts": dict(result.counts),
        "scores": dict(result.scores),
        "ccc_interval": asdict(reach),
        "chosen": result.chosen,
        "params": dict(result.outcome(result.chosen).params or {}),
        "synthetic": result.synthetic,
        "partial": result.partial,
        "cautions": list(result.cautions),
        "splits": result.splits,
        "faulty": result.faulty,
        "reused": reused,
        "key": result.key,
        "file": file,
        **({"profile": dict(result.profile)} if result.profile else {}),
    }


def _outcome(outcome: ClassifierOutcome) -> dict[str, Any]:
    failed = [point for point in outcome.points if point.failed]
    return {
        "classifier": outcome.classifier,
        "params": None if outcome.params is None else dict(outcome.params),
        "validation": outcome.validation,
        "accuracy": outcome.accuracy,
        "uar": outcome.uar,
        "points": len(outcome.points),
        "failed_points": [{"params": dict(point.params), "reason": point.reason} for point in failed],
    }
