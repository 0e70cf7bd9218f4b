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
from serab_core.data.integrity import named
from serab_core.data.protocols import PROTOCOLS
from serab_core.errors import AudioError
from serab_core.types import SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.data.prepared import Prepared
    from serab_core.types import DatasetSpec, ExpectedAudio, Progress, Task

Verdict = Literal["pass", "fail", "known", "caution", "info"]
_SHOWN = 5
LOGMEL_TOLERANCE = 0.05  # what resamplers alone change; real RAVDESS and EMOVO came within 0.003 of the published pair
HOURS_TOLERANCE = 0.01  # of the published hours; frames at the ends of re-encoded files change less
SECONDS_TOLERANCE = 0.05  # of one utterance, in seconds, beside the hundredth; an MPEG frame at 22.05 kHz


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was verified.

    Attributes:
        verdict: `known` is a defect that the variant declares; a `caution` limits what scores mean; `info` is no
            verdict at all.
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
        findings += _leaks(prepared, task, findings)
    if not any(finding.name == "repeated audio" for finding in findings):
        findings.append(Finding("repeated audio", "pass", "no two utterances have the same samples"))
    if spec is not None:
        findings += _lengths(prepared, spec)
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


_REPEATED = ("shared-audio", "contradicting-labels", "contradicting-speakers", "repeated-audio")


def _leaks(prepared: Prepared, task: Task, before: Sequence[Finding]) -> list[Finding]:
    """Findings about one split variant, without those that were made of a variant before it."""
    counts = ", ".join(f"{split} {task.count(split)}" for split in SPLITS)
    splits = Finding(f"splits ({task.variant})", "pass", f"{counts}; {task.splits}; no speaker is in two splits")
    verdicts: dict[str, Verdict] = {"fault": "fail", "caution": "caution", "info": "info"}
    made = []
    for notice in prepared.notices(task.variant):
        if notice.kind == "crossing-speakers":
            verdict: Verdict = "fail" if notice.severity == "fault" else "known"
            splits = Finding(splits.name, verdict, f"{counts}; {task.splits}; {notice.text}")
            continue
        name = "repeated audio" if notice.kind in _REPEATED else notice.kind.replace("-", " ")
        finding = Finding(name, verdicts[notice.severity], notice.text)
        if finding not in before:
            made.append(finding)
    return [splits, *made]


def _lengths(prepared: Prepared, spec: DatasetSpec) -> list[Finding]:
    """The lengths and rates of the utterances against those that were published."""
    rows = prepared.index["utterances"]
    seconds = {str(row["id"]): float(row["duration"]) for row in rows}
    findings = []
    published = spec.expected_seconds() if spec.expected_seconds is not None else {}
    off = {
        i: length
        for i, length in seconds.items()
        if i in published and abs(length - published[i]) > max(SECONDS_TOLERANCE, HOURS_TOLERANCE * published[i])
    }
    if published:
        shown = named([f"{i}: {length:.3f} s, published {published[i]:.3f} s" for i, length in off.items()])
        text = f"{len(off)} of {len(seconds)} utterances have another length than published ({shown})"
        findings.append(
            Finding("lengths", "fail" if off else "pass", text if off else "every utterance has its published length")
        )
    if spec.expected_audio is not None:
        findings += _published_audio(spec.expected_audio, rows, seconds, partial=prepared.index["partial"])
    return findings


def _published_audio(
    expected: ExpectedAudio, rows: Sequence[Mapping[str, Any]], seconds: Mapping[str, float], *, partial: bool
) -> list[Finding]:
    hours = sum(seconds.values()) / 3600
    change = hours / expected.hours - 1
    shortest, longest = min(seconds.values()), max(seconds.values())
    text = f"{hours:.3f} h, published {expected.hours:.3f} h ({100 * change:+.1f} %)"
    outside = {
        i: length
        for i, length in seconds.items()
        if not expected.shortest_s - SECONDS_TOLERANCE <= length <= expected.longest_s + SECONDS_TOLERANCE
    }
    if outside:
        shown = named([f"{i}: {length:.3f} s" for i, length in outside.items()])
        text += (
            f"; {len(outside)} utterances are shorter than {expected.shortest_s:.3f} s "
            f"or longer than {expected.longest_s:.3f} s, as none should be ({shown})"
        )
    else:
        text += (
            f"; utterances last {shortest:.3f} to {longest:.3f} s, "
            f"published {expected.shortest_s:.3f} to {expected.longest_s:.3f} s"
        )
    wrong = bool(outside) or (abs(change) > HOURS_TOLERANCE and not partial)
    findings = [Finding("hours", "fail" if wrong else "pass", text)]
    rates = Counter(int(row["rate"]) for row in rows)
    other = [f"{count} at {rate} Hz" for rate, count in sorted(rates.items()) if rate not in expected.rates]
    known = " and ".join(f"{rate} Hz" for rate in expected.rates)
    if other:
        text = f"{', '.join(other)}, where {known} is published: a resampled copy"
        return [*findings, Finding("sampling rate", "caution", text)]
    return [*findings, Finding("sampling rate", "pass", known)]


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
