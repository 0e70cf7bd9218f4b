"""The fingerprint of an extractor: everything that its embeddings depend on, as plain values."""

from __future__ import annotations

import json
from importlib import metadata
from typing import TYPE_CHECKING, Any

from serab_core.audio.resample import QUALITY
from serab_core.errors import PluginError
from serab_core.plugins.proxy import IsolatedSpec
from serab_core.store.jsonio import digest
from serab_core.store.weights import published_sha256

if TYPE_CHECKING:
    from serab_core.types import ExtractorSpec

AUDIO_VERSION = 1
"""Version of the audio code, part of each fingerprint; increase it when a change gives other samples."""


def fingerprint(spec: ExtractorSpec) -> dict[str, Any]:
    """Return the fingerprint of an extractor: extractors with equal fingerprints share a cache.

    Raises:
        PluginError: the parameters are not plain values, or a library that it declares is not installed.
        WeightsError: the plugin does not declare the sha256 of its weights, and they were not imported.
    """
    libraries = dict(spec.versions) if isinstance(spec, IsolatedSpec) else {}
    for name in sorted(set(spec.libraries) - set(libraries)):
        try:
            libraries[name] = metadata.version(name)
        except metadata.PackageNotFoundError as error:
            raise PluginError(
                f"needs {name}, which is not installed", where=spec.name, next_step=f"pip install {name}"
            ) from error
    identity = {
        "extractor": spec.name,
        "version": spec.version,
        "code": dict(spec.code),
        "dim": spec.dim,
        "dtype": "float32",
        "sample_rate": spec.sample_rate,
        "parameters": dict(spec.parameters),
        "weights": [published_sha256(weight) for weight in spec.weights],
        "libraries": dict(sorted(libraries.items())),
        "audio": {"version": AUDIO_VERSION, "resampler": f"soxr {metadata.version('soxr')} {QUALITY}"},
    }
    try:
        json.dumps(identity, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"declares parameters that are not plain JSON values ({error})",
            where=spec.name,
            next_step="its author must use numbers, strings, and lists and mappings of these",
        ) from error
    return identity


def fingerprint_digest(spec: ExtractorSpec) -> str:
    """Return the sha256 of the fingerprint. Raises PluginError."""
    return digest(fingerprint(spec))
