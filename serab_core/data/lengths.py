"""Compares the lengths and sampling rates of a prepared corpus with those that its authors published."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from serab_core.data.integrity import MAX_NAMES
from serab_core.system.text import list_names
from serab_core.types import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from serab_core.types import DatasetSpec, ExpectedAudio

HOURS_TOLERANCE = 0.01  # fraction of the published hours; re-encoding changes the length of a file by less
SECONDS_TOLERANCE = 0.05  # seconds per utterance, or `HOURS_TOLERANCE` if that is more; an MPEG frame at 22.05 kHz


class Comparison(NamedTuple):
    """One comparison with the published figures.

    Attributes:
        kind: `lengths`, `hours` or `sampling-rate`.
        severity: the severity of the difference; "" if there is no difference.
        text: both figures.
        names: the utterances that differ.
    """

    kind: str
    severity: str
    text: str
    names: tuple[str, ...] = ()


def compare_lengths(rows: Sequence[Mapping[str, Any]], spec: DatasetSpec, *, partial: bool) -> tuple[Comparison, ...]:
    """Compare the utterances with the published figures in `spec`; empty if it has none.

    Args:
        rows: the utterances of the index of the corpus, at least one.
        spec: the dataset.
        partial: utterances are missing, so that the total hours are not compared.
    """
    seconds = {str(row["id"]): float(row["duration"]) for row in rows}
    comparisons: list[Comparison] = []
    if spec.expected_seconds is not None:
        comparisons.append(_compare_seconds(seconds, spec.expected_seconds()))
    if spec.expected_audio is not None:
        comparisons.append(_compare_hours(seconds, spec.expected_audio, partial=partial))
        comparisons.append(_compare_rates(Counter(int(row["rate"]) for row in rows), spec.expected_audio))
    return tuple(comparisons)


def length_notices(comparisons: Sequence[Comparison]) -> Iterator[Notice]:
    """Yield the differences as notices, which tables repeat."""
    for comparison in comparisons:
        if comparison.severity == "fault":
            yield Notice(
                comparison.kind,
                "fault",
                f"this copy differs from the published corpus: {comparison.text}",
                comparison.names,
            )
        elif comparison.severity == "caution":
            yield Notice(comparison.kind, "caution", comparison.text, comparison.names)


def _compare_seconds(seconds: Mapping[str, float], published: Mapping[str, float]) -> Comparison:
    off = tuple(
        i
        for i, length in seconds.items()
        if i in published and abs(length - published[i]) > max(SECONDS_TOLERANCE, HOURS_TOLERANCE * published[i])
    )
    if not off:
        return Comparison("lengths", "", "every utterance has its published length")
    shown = list_names([f"{i}: {seconds[i]:.3f} s, published {published[i]:.3f} s" for i in off], MAX_NAMES)
    text = f"{len(off)} of {len(seconds)} utterances have another length than published ({shown})"
    return Comparison("lengths", "fault", text, off)


def _compare_hours(seconds: Mapping[str, float], expected: ExpectedAudio, *, partial: bool) -> Comparison:
    hours = sum(seconds.values()) / 3600
    change = hours / expected.hours - 1
    text = f"{hours:.3f} h, published {expected.hours:.3f} h ({100 * change:+.1f} %)"
    low, high = expected.shortest_s, expected.longest_s
    outside = tuple(
        i for i, length in seconds.items() if not low - SECONDS_TOLERANCE <= length <= high + SECONDS_TOLERANCE
    )
    if outside:
        shown = list_names([f"{i}: {seconds[i]:.3f} s" for i in outside], MAX_NAMES)
        text += f"; {len(outside)} utterances are shorter than {low:.3f} s or longer than {high:.3f} s ({shown})"
    else:
        text += (
            f"; utterances last {min(seconds.values()):.3f} to {max(seconds.values()):.3f} s, "
            f"published {low:.3f} to {high:.3f} s"
        )
    wrong = bool(outside) or (abs(change) > HOURS_TOLERANCE and not partial)
    return Comparison("hours", "fault" if wrong else "", text, outside)


def _compare_rates(counts: Mapping[int, int], expected: ExpectedAudio) -> Comparison:
    known = " and ".join(f"{rate} Hz" for rate in expected.rates)
    other = [f"{count} at {rate} Hz" for rate, count in sorted(counts.items()) if rate not in expected.rates]
    if not other:
        return Comparison("sampling-rate", "", known)
    return Comparison("sampling-rate", "caution", f"a resampled copy: {', '.join(other)}; published: {known}")
