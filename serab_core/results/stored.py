"""Valid results of a home for reports, errors of other files, and the installed extractors and prepared corpora."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from serab_core import plugins
from serab_core.data.prepared import load
from serab_core.data.protocols import SEED, find_protocol
from serab_core.embed.fingerprint import fingerprint
from serab_core.errors import SerabError, StoreError
from serab_core.isolation import environments
from serab_core.score.outcome import complete_result
from serab_core.score.validity import result_fault
from serab_core.store.identity import DataIdentity
from serab_core.store.results import Stored, read_result, result_path, stored_results
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from serab_core.data.prepared import Prepared
    from serab_core.store.home import Home
    from serab_core.types import Run, TaskResult

_DAMAGED_INDEX = (SerabError, KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration)


def valid_results(home: Home) -> tuple[list[Stored], list[StoreError]]:
    """Return the results with valid content, oldest file first, and an error for each skipped file.

    They have every metric of their kind, also if an earlier version stored them.
    """
    read, errors = stored_results(home)
    stored = [Stored(entry.path, complete_result(entry.result)) for entry in read]
    faults = [result_fault(entry.result) for entry in stored]
    errors += [_damaged(entry.path, fault) for entry, fault in zip(stored, faults, strict=True) if fault]
    return [entry for entry, fault in zip(stored, faults, strict=True) if not fault], errors


def with_stored_seeds(home: Home, run: Run) -> Run:
    """Return a run with the stored results of its extractors and tasks under other seeds, without unreadable ones."""
    results = []
    for result in run.results:
        path = result_path(home, result.extractor, result.task, result.protocol, result.key)
        for other in sorted(path.parent.glob("*.json")):
            if other.name.startswith(f"{result.protocol}+{SEED}="):
                with suppress(StoreError):
                    stored = complete_result(read_result(other))
                    results += [] if result_fault(stored) else [stored]
    return replace(run, seeds=tuple(results))


def _damaged(path: Path, fault: str) -> StoreError:
    return StoreError(fault, where=path, next_step="move the file away, and evaluate again")


def installed_fingerprints(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the fingerprints of installed extractors by name.

    Models of adapters, extractors in folders and isolated extractors are left out: computing their fingerprints may use
    the network or run code.
    """
    fingerprints: dict[str, dict[str, Any]] = {}
    if environments.is_requested():
        return fingerprints
    for name in sorted(set(names)):
        with suppress(SerabError):
            if ":" not in name and not plugins.is_path(name) and plugins.environment_of(name) is None:
                fingerprints[name] = fingerprint(plugins.extractor(name))
    return fingerprints


def prepared_data(home: Home, tasks: Iterable[str], protocol: str) -> dict[str, DataIdentity]:
    """Return the data identity of each task that is prepared in the home, for the splits of a protocol."""
    data = {}
    loaded: dict[str, Prepared | None] = {}
    for task in sorted(set(tasks)):
        corpus, _, suffix = task.partition("/")
        with suppress(*_DAMAGED_INDEX):
            if corpus not in loaded:
                loaded[corpus] = None
                loaded[corpus] = load(home, corpus)
            prepared = loaded[corpus]
            if prepared is not None:
                data[task] = _identity(prepared, protocol, suffix)
    return data


def _identity(prepared: Prepared, protocol: str, suffix: str) -> DataIdentity:
    digest, audio_digest = prepared.data_digests(find_protocol(protocol), suffix)
    return DataIdentity(digest, audio_digest)


def other_data_of(home: Home, results: Iterable[TaskResult]) -> list[str]:
    """Return a sentence for each task with results on other data than the corpus prepared in the home."""
    groups: dict[tuple[str, str], list[TaskResult]] = {}
    for result in results:
        groups.setdefault((result.task, result.protocol), []).append(result)
    sentences = []
    for (task, protocol), members in sorted(groups.items()):
        here = prepared_data(home, [task], protocol).get(task)
        if here is None:
            continue
        others = [result for result in members if not DataIdentity.of(result).matches(here)]
        if others:
            sentences.append(f"{task}, protocol {protocol}: {_differing(others, here)}.")
    return sentences


def _differing(results: Sequence[TaskResult], here: DataIdentity) -> str:
    digests = sorted({DataIdentity.of(result).short for result in results})
    audio = digests == [here.short]
    differs = "audio that differs" if audio else f"other data (digest {', '.join(digests)})"
    count = f"{len(results)} result{'s are' if len(results) > 1 else ' is'}"
    names = ", ".join(sorted({result.extractor for result in results}))
    return (
        f"{count} on {differs} from the corpus prepared here (digest {here.short}): {names}. If both kinds are "
        "stored, the leaderboard shows these separately, in no mean and not ranked"
    )


def stored_on_other_data(home: Home, corpus: str) -> list[str]:
    """Return sentences on stored results of a corpus that are on other data than the corpus prepared now."""
    stored, _ = valid_results(home)
    known = [entry.result for entry in stored if entry.result.task.partition("/")[0] == corpus]
    advice = f"{command('eval', 'X', tasks=corpus)} scores an extractor on the corpus that is prepared now."
    return [f"{sentence} {advice}" for sentence in other_data_of(home, known)]
