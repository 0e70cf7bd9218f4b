"""Verifies a prepared corpus: counts, files, leaks between splits, published lengths, and log-mel statistics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from serab_core.audio.decode import decode
from serab_core.audio.mel import SERAB, log_mel
from serab_core.audio.resample import resample
from serab_core.data.disk_names import disk_name
from serab_core.data.integrity import level_notices
from serab_core.data.lengths import compare_lengths
from serab_core.data.protocols import SPLIT_PROTOCOLS
from serab_core.errors import AudioError
from serab_core.types import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.data.prepared import Prepared
    from serab_core.types import DatasetSpec, Progress, Task

Verdict = Literal["pass", "fail", "known", "caution", "info"]
_SHOWN = 5  # files that a finding lists
LOGMEL_TOLERANCE = (
    0.05  # maximum effect of another resampler; RAVDESS and EMOVO are within 0.003 of the published values
)
_VERDICTS: dict[str, Verdict] = {"": "pass", "fault": "fail", "caution": "caution", "info": "info"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the verification.

    Attributes:
        verdict: `known` is a defect that the variant declares; a `caution` limits the meaning of scores; `info` is
            not a verdict.
        names: all utterances, speakers, labels or files that the finding is about; the text lists the first ones.
    """

    name: str
    verdict: Verdict
    text: str
    names: tuple[str, ...] = ()


def verify(prepared: Prepared, spec: DatasetSpec | None, progress: Progress) -> tuple[Finding, ...]:
    """Verify a prepared corpus.

    Args:
        prepared: the corpus.
        spec: the dataset with the expected values; None if its plugin is not installed: nothing is compared with them.
        progress: advances with each utterance.
    """
    findings = [] if spec is None else _counts(prepared, spec)
    tasks = {task.variant: task for task in (prepared.task(protocol) for protocol in SPLIT_PROTOCOLS)}
    for task in tasks.values():
        findings += _leaks(prepared, task, findings)
    if not any(finding.name == "repeated audio" for finding in findings):
        findings.append(Finding("repeated audio", "pass", "no two utterances have the same samples"))
    if spec is not None:
        rows, partial = prepared.index["utterances"], prepared.index["partial"]
        findings += [
            Finding(
                comparison.kind.replace("-", " "), _VERDICTS[comparison.severity], comparison.text, comparison.names
            )
            for comparison in compare_lengths(rows, spec, partial=partial)
        ]
    return (*findings, *_audio(prepared, next(iter(tasks.values())), spec, progress))


def _counts(prepared: Prepared, spec: DatasetSpec) -> list[Finding]:
    rows = prepared.index["utterances"]
    labels = Counter(row["label"] for row in rows)
    speakers = len({row["speaker"] for row in rows})
    wrong = [
        f"{label} {labels[label]} of {count}" for label, count in spec.expected_counts.items() if labels[label] != count
    ]
    total = sum(spec.expected_counts.values())
    return [
        Finding("utterances", "pass" if len(rows) == total else "fail", f"{len(rows)} of {total}"),
        Finding("labels", "fail" if wrong else "pass", ", ".join(wrong) or f"{len(labels)} with the expected counts"),
        Finding(
            "speakers",
            "pass" if speakers == spec.expected_speakers else "fail",
            f"{speakers} of {spec.expected_speakers}",
        ),
    ]


_LEVELS = ("silent", "cancelled", "loud")
_REPEATED = ("shared-audio", "contradicting-labels", "contradicting-speakers", "repeated-audio")


def _leaks(prepared: Prepared, task: Task, before: Sequence[Finding]) -> list[Finding]:
    """Return the findings about a split variant, without those in `before`, which an earlier variant has too."""
    counts = ", ".join(f"{split} {task.count(split)}" for split in SPLITS)
    splits = Finding(f"splits ({task.variant})", "pass", f"{counts}; {task.splits}; no speaker is in two splits")
    findings = []
    for notice in prepared.split_notices(task.variant):
        if notice.kind == "crossing-speakers":
            verdict: Verdict = "fail" if notice.severity == "fault" else "known"
            splits = Finding(splits.name, verdict, f"{counts}; {task.splits}; {notice.text}", notice.names)
            continue
        if notice.kind in _LEVELS:
            continue  # measured later, on the current files
        name = "repeated audio" if notice.kind in _REPEATED else notice.kind.replace("-", " ")
        finding = Finding(name, _VERDICTS[notice.severity], notice.text, notice.names)
        if finding not in before:
            findings.append(finding)
    return [splits, *findings]


def _audio(prepared: Prepared, task: Task, spec: DatasetSpec | None, progress: Progress) -> list[Finding]:
    train = {u.id for u in task.utterances if u.split == "train"}
    faults: dict[str, str] = {}
    levels: list[dict[str, Any]] = []
    means: list[float] = []
    deviations: list[float] = []
    rows = prepared.index["utterances"]
    with progress.task(f"Verifying {prepared.name}", len(rows)) as advance:
        for row in rows:
            path = str(prepared.folder / disk_name(row["file"]))
            try:
                decoded = decode(Path(path), path)
            except AudioError as error:
                faults[row["id"]] = f"{path} {error.what}"
            else:
                levels.append({"id": row["id"], "peak": decoded.peak, "silent": decoded.silent or None})
                if decoded.sha256 != row["sha256"]:
                    faults[row["id"]] = f"{path} has changed since it was prepared"
                elif row["id"] in train and spec is not None and spec.logmel is not None:
                    mels = log_mel(resample(decoded.samples, decoded.rate, SERAB.rate))
                    means.append(float(mels.mean(dtype=np.float64)))
                    deviations.append(float(mels.std(ddof=1, dtype=np.float64)))
            advance(1)
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    text = f"{len(rows)} files decode to the samples that were prepared"
    if faults:
        text = "; ".join(list(faults.values())[:_SHOWN]) + more
    findings = [Finding("audio", "fail" if faults else "pass", text, tuple(faults))]
    findings += [Finding(n.kind, _VERDICTS[n.severity], n.text, n.names) for n in level_notices(levels)]
    if means and spec is not None and spec.logmel is not None:
        findings.append(_compare_logmel(float(np.mean(means)), float(np.mean(deviations)), spec.logmel))
    return findings


def _compare_logmel(mean: float, deviation: float, published: tuple[float, float]) -> Finding:
    """Compare the mean and deviation of log-mels, averaged over training utterances, with the published values."""
    off_mean, off_deviation = mean - published[0], deviation - published[1]
    close = max(abs(off_mean), abs(off_deviation)) <= LOGMEL_TOLERANCE
    text = (
        f"mean {mean:.4f}, deviation {deviation:.4f}; published {published[0]:.4f} and {published[1]:.4f}, "
        f"off by {off_mean:+.4f} and {off_deviation:+.4f}"
    )
    if not close:
        text += ": another build of the corpus (resampled, cut, other gain), not comparable with published scores"
    return Finding("log-mel", "pass" if close else "info", text)
