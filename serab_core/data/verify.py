"""Verifies a prepared corpus: its counts, its files, that no speaker crosses a split, and its log-mel statistics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from serab_core.audio.decode import decode
from serab_core.audio.mel import SERAB, log_mel
from serab_core.audio.resample import resample
from serab_core.data.protocols import PROTOCOLS
from serab_core.data.splits import crossing_speakers
from serab_core.errors import AudioError
from serab_core.types import SPLITS

if TYPE_CHECKING:
    from serab_core.data.prepared import Prepared
    from serab_core.types import DatasetSpec, Progress, Task

Verdict = Literal["pass", "fail", "known", "info"]
_SHOWN = 5
LOGMEL_TOLERANCE = 0.05
"""What resamplers alone change: RAVDESS and EMOVO came within 0.003 of the published pair (reference section 8)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was verified.

    Attributes:
        verdict: `known` is a defect that the variant declares; `info` is no verdict at all.
    """

    name: str
    verdict: Verdict
    text: str


def verify(prepared: Prepared, spec: DatasetSpec | None, progress: Progress) -> tuple[Finding, ...]:
    """Verifies a prepared corpus.

    Args:
        prepared: the corpus.
        spec: what it should be; None where its plugin is not installed, which leaves the expectations out.
        progress: told of each utterance.
    """
    findings = [] if spec is None else _counts(prepared, spec)
    tasks = {task.variant: task for task in (prepared.task(protocol) for protocol in PROTOCOLS.values())}
    for task in tasks.values():
        declared = next(v for v in prepared.index["variants"] if v["name"] == task.variant)
        findings.append(_crossing(task, known=declared["shares_speakers"]))
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


def _crossing(task: Task, *, known: bool) -> Finding:
    counts = ", ".join(f"{split} {task.count(split)}" for split in SPLITS)
    speakers = {u.id: u.speaker for u in task.utterances}
    crossing = crossing_speakers(speakers, {u.id: u.split for u in task.utterances})
    name = f"splits ({task.variant})"
    if not crossing:
        return Finding(name, "pass", f"{counts}; no speaker is in two splits")
    text = f"{counts}; {len(crossing)} of {len(set(speakers.values()))} speakers are in several splits"
    return Finding(name, "known" if known else "fail", text)


def _audio(prepared: Prepared, task: Task, spec: DatasetSpec | None, progress: Progress) -> list[Finding]:
    train = {u.id for u in task.utterances if u.split == "train"}
    faults: list[str] = []
    means: list[float] = []
    deviations: list[float] = []
    rows = prepared.index["utterances"]
    with progress.stage(f"Verifying {prepared.name}", len(rows)) as advance:
        for row in rows:
            path = str(prepared.folder / row["file"])
            try:
                decoded = decode(Path(path), path)
            except AudioError as error:
                faults.append(f"{path} {error.what}")
            else:
                if decoded.sha256 != row["sha256"]:
                    faults.append(f"{path} has changed since it was prepared")
                elif row["id"] in train and spec is not None and spec.logmel is not None:
                    mels = log_mel(resample(decoded.samples, decoded.rate, SERAB.rate))
                    means.append(float(mels.mean(dtype=np.float64)))
                    deviations.append(float(mels.std(ddof=1, dtype=np.float64)))
            advance(1)
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    text = (
        "; ".join(faults[:_SHOWN]) + more if faults else f"{len(rows)} files decode to the samples that were prepared"
    )
    findings = [Finding("audio", "fail" if faults else "pass", text)]
    if means and spec is not None and spec.logmel is not None:
        findings.append(_statistics(float(np.mean(means)), float(np.mean(deviations)), spec.logmel))
    return findings


def _statistics(mean: float, deviation: float, published: tuple[float, float]) -> Finding:
    """Means over the training utterances of each one's mean and deviation, as the authors' code takes them."""
    off_mean, off_deviation = mean - published[0], deviation - published[1]
    close = max(abs(off_mean), abs(off_deviation)) <= LOGMEL_TOLERANCE
    text = (
        f"mean {mean:.4f}, deviation {deviation:.4f}; published {published[0]:.4f} and {published[1]:.4f}, "
        f"off by {off_mean:+.4f} and {off_deviation:+.4f}"
    )
    if not close:
        text += ": another build of the corpus (resampled, cut, other gain), whose scores compare with no published one"
    return Finding("log-mel", "pass" if close else "info", text)
