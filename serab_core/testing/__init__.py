"""The conformance kit: named checks that the tests of a plugin run, and that state what they protect.

import pytest
from serab_core.testing import extractor_checks

@pytest.mark.parametrize("check", extractor_checks("my-model"), ids=str)
def test_conforms(check):
    check()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serab_core.testing.checks import Check as Check
    from serab_core.testing.checks import ConformanceError as ConformanceError
    from serab_core.testing.classifiers import classifier_checks as classifier_checks
    from serab_core.testing.datasets import dataset_checks as dataset_checks
    from serab_core.testing.extractors import extractor_checks as extractor_checks

_HOMES = {
    "Check": "checks",
    "ConformanceError": "checks",
    "classifier_checks": "classifiers",
    "dataset_checks": "datasets",
    "extractor_checks": "extractors",
}
__all__ = ["Check", "ConformanceError", "classifier_checks", "dataset_checks", "extractor_checks"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, because pytest loads this package in every project of an environment."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
