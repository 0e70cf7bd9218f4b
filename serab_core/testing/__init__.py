"""The conformance kit: named checks that a plugin's own tests run, and that say what they protect.

import pytest
from serab_core.testing import extractor_checks

@pytest.mark.parametrize("check", extractor_checks("my-model"), ids=str)
def test_conforms(check):
    check()
"""

from serab_core.testing.checks import Check
from serab_core.testing.classifiers import classifier_checks
from serab_core.testing.datasets import dataset_checks
from serab_core.testing.extractors import extractor_checks

__all__ = ["Check", "classifier_checks", "dataset_checks", "extractor_checks"]
