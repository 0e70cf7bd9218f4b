"""Sentences on what changed in an extractor or classifier since its last stored result."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from serab_core.errors import StoreError
from serab_core.store.identity import SHORT
from serab_core.store.results import folder_name, read_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serab_core.store.home import Home
    from serab_core.types import ClassifierSpec

_PARTS = {
    "dim": "its dimension",
    "sample_rate": "its sampling rate",
    "version": "its version",
    "dtype": "its number type",
}


_DIGEST = re.compile(r"[0-9a-f]{40,64}")  # SHA-1, as commits have it, up to SHA-256


def change_notices(
    home: Home, name: str, fingerprint: Mapping[str, Any], classifiers: Iterable[ClassifierSpec]
) -> list[str]:
    """Return sentences on why an extractor is computed again; empty if its code and files are those of its last result.

    Args:
        home: the home.
        name: the public name of the extractor.
        fingerprint: its current fingerprint.
        classifiers: the classifiers that will be searched.
    """
    last = _last_provenance(home, name)
    if last is None:
        return []
    when, provenance = last
    before = provenance.get("fingerprint", {})
    notices = []
    changed = describe_changes(before, fingerprint)
    if changed:
        notices.append(f"{name} is computed again, because since {when} {', and '.join(changed)}.")
    codes = provenance.get("classifier_code", {})
    tuned = {spec.name: code_changes(codes[spec.name], spec.code) for spec in classifiers if spec.name in codes}
    return notices + [
        f"Classifier {classifier} is tuned again, because since {when} {', and '.join(changes)}."
        for classifier, changes in tuned.items()
        if changes
    ]


def describe_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a phrase for each difference between two fingerprints of one extractor."""
    if before == now:
        return []
    changed = []
    if "code" not in before:
        changed.append("serab began to include the code in the identity of an extractor")
    else:
        changed += code_changes(before["code"], now["code"])
    if before.get("weights") != now["weights"]:
        changed.append("its weight files changed")
    changed += _values("library", before.get("libraries", {}), now["libraries"])
    changed += _values("parameter", before.get("parameters", {}), now["parameters"])
    changed += [f"{text} changed" for key, text in _PARTS.items() if before.get(key) != now.get(key)]
    if before.get("audio") != now.get("audio"):
        changed.append("serab decodes or resamples audio in another way")
    return changed


def code_changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a phrase for each difference between two identities of the code of one plugin."""
    if before == now:
        return []
    if before.get("distribution") != now.get("distribution"):
        return [f"it comes from {now.get('distribution')} in place of {before.get('distribution')}"]
    if before.get("version") != now.get("version"):
        return [f"{now['distribution']} changed from {before.get('version')} to {now['version']}"]
    return [f"the code of {now.get('distribution') or 'its plugin'} changed"]


def _values(kind: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = sorted({name for name in {*before, *now} if before.get(name) != now.get(name)})
    return [f"{kind} {name} changed from {_short(before.get(name))} to {_short(now.get(name))}" for name in names]


def _short(value: object) -> str:
    """Return a value as text; a digest is shortened to a few digits."""
    text = "none" if value is None else str(value)
    return text[:SHORT] if _DIGEST.fullmatch(text) else text


def _last_provenance(home: Home, name: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the time and the provenance of the newest result of an extractor; None if there is no readable one."""
    paths = []
    folder = home.results / folder_name(name)
    for path in (*folder.glob("*/*.json"), *folder.glob("*/*/*.json")):
        with suppress(OSError):
            paths.append((path.stat().st_mtime, path))
    for seconds, path in sorted(paths, reverse=True):
        with suppress(StoreError):
            result = read_result(path)
            if result.extractor == name and not result.imported:
                return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)), result.provenance
    return None
