"""Support vector machine: linear and radial kernels, over 44 points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import ClassifierSpec, hookimpl
from serab_plugin_classifiers._grids import C_VALUES, CLASS_WEIGHTS

if TYPE_CHECKING:
    from serab_core import Examples
    from serab_core.hookspecs import Register
    from serab_core.types import Workspace

SERAB_API_VERSION = 1


def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
    """A workspace that multiplies all examples with each other once."""
    from serab_plugin_classifiers._kernels import KernelWorkspace

    return KernelWorkspace(train, validation, seed)


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Registers `svc`."""
    register(
        ClassifierSpec(
            name="svc",
            title="SVC",
            summary="support vector machine, linear or radial kernel",
            search_space={"kernel": ("rbf", "linear"), "C": C_VALUES, "class_weight": CLASS_WEIGHTS},
            prepare=prepare,
            order=5,
            libraries=("scikit-learn",),
        )
    )
