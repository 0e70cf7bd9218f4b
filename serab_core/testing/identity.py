"""Checks of the identity of an extractor: its fingerprint, its weights and its terms."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.errors import WeightsError
from serab_core.store.home import Home, find_home
from serab_core.store.weights import require_weights, weight_record
from serab_core.testing.checks import NOT_APPLICABLE, ConformanceError
from serab_core.testing.children import printed

if TYPE_CHECKING:
    from serab_core.types import ExtractorSpec, WeightFile

_FINGERPRINT = """
import sys
from serab_core import plugins
from serab_core.embed.fingerprint import fingerprint_digest
print(fingerprint_digest(plugins.extractor(sys.argv[1])))
"""
_EMBED_IN = """
import json, sys
from pathlib import Path
from serab_core import plugins
from serab_core.errors import SerabError
from serab_core.system.session import Session, set_process_session
from serab_core.testing.example import build_extractor, example_clips
errors = []
for home in sys.argv[2:]:
    set_process_session(Session(home=Path(home)))
    try:
        spec = plugins.extractor(sys.argv[1])
        build_extractor(spec).embed(example_clips(spec.sample_rate)[:1])
        errors.append("")
    except SerabError as error:
        errors.append(type(error).__name__)
    except BaseException as error:
        errors.append(f"{type(error).__name__}: {error}")
sys.stdout.flush()
print("\\n" + json.dumps(errors))
"""


def check_terms(spec: ExtractorSpec) -> None:
    """Check that the spec declares summary, licence and citation, and the address and licence of each weight file."""
    if not spec.summary.strip():
        raise ConformanceError("no summary is declared")
    if not spec.licence.strip():
        raise ConformanceError("no licence is declared")
    if not spec.citation.strip():
        raise ConformanceError("no citation is declared")
    for weight in spec.weights:
        if not weight.url.startswith(("https://", "http://")):
            raise ConformanceError(f"{weight.name} has no address: {weight.url!r}")
        if not weight.licence.strip():
            raise ConformanceError(f"{weight.name} has no licence")


def check_fingerprint(spec: ExtractorSpec, name: str) -> None:
    """Check that the fingerprint is the same in another process, and changes with parameters and weights."""
    here = fingerprint_digest(spec)
    there = printed(_FINGERPRINT, name, PYTHONHASHSEED="7").split()[-1]
    if there != here:
        raise ConformanceError("its fingerprint is different in another process")
    for key in spec.parameters:
        changed = replace(spec, parameters={**spec.parameters, key: "another value"})
        if fingerprint_digest(changed) == here:
            raise ConformanceError(f"the fingerprint does not change with the parameter {key}")
    for number, weight in enumerate(spec.weights):
        other = replace(weight, sha256="0" * 64)
        weights = (*spec.weights[:number], other, *spec.weights[number + 1 :])
        changed = replace(spec, weights=weights)
        if fingerprint_digest(changed) == here:
            raise ConformanceError(f"the fingerprint does not change with the weight file {weight.name}")
    reworded = replace(spec, summary="another summary", batch_size=spec.batch_size + 1, expected_failures={})
    if fingerprint_digest(reworded) != here:
        raise ConformanceError("the fingerprint depends on the summary, the batch size or expected_failures")


def check_missing_weights(spec: ExtractorSpec, name: str, scratch: Path) -> str:
    """Check that without its weights the extractor fails, with an error that names the missing file."""
    if not spec.weights:
        return _NO_WEIGHTS
    empty = Home(scratch / "empty").ensure()
    text = ""
    try:
        require_weights(empty, spec.name, spec.weights)
    except WeightsError as error:
        text = str(error)
    if spec.weights[0].published not in text:
        raise ConformanceError("the error for missing weights does not name the file")
    (raised,) = _embedding_errors(name, empty)
    if not raised:
        raise ConformanceError("it embeds although its declared weights are not installed")
    if raised != "WeightsError":
        raise ConformanceError(f"without its weights it raises {raised}, not the WeightsError of weights_path")
    return ""


def check_damaged_weights(spec: ExtractorSpec, name: str, scratch: Path) -> str:
    """Check that the extractor does not load a weight file with one changed byte."""
    if not spec.weights:
        return _NO_WEIGHTS
    home = find_home()
    homes = []
    for number, damaged in enumerate(spec.weights):
        copy = Home(scratch / str(number)).ensure()
        for weight in spec.weights:
            if weight_record(home, weight) is None:
                raise ConformanceError(f"{weight.name} is not installed, so the check cannot run")
            _copy(home.weights / weight.name, copy.weights / weight.name)
            _copy(home.weights / f"{weight.name}.json", copy.weights / f"{weight.name}.json")
        _damage(copy, damaged)
        homes.append(copy)
    for weight, error in zip(spec.weights, _embedding_errors(name, *homes), strict=True):
        if not error:
            raise ConformanceError(f"it embeds although {weight.name} is damaged")
        if error != "WeightsError":
            raise ConformanceError(f"with {weight.name} damaged it raises {error}, not weights_path's WeightsError")
    return ""


_NO_WEIGHTS = f"{NOT_APPLICABLE}its spec declares no weight files"


def _embedding_errors(name: str, *homes: Home) -> list[str]:
    """Return the error of embedding in each of several homes; "" for success."""
    errors: list[str] = json.loads(printed(_EMBED_IN, name, *(str(home.root) for home in homes)).splitlines()[-1])
    return errors


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _damage(home: Home, weight: WeightFile) -> None:
    """Change the byte in the middle of a weight file; for a folder, of its largest file."""
    path = home.weights / weight.name
    if path.is_dir():
        path = max((file for file in path.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(path.stat().st_size // 2)
        file.write(bytes([byte[0] ^ 0xFF]))
