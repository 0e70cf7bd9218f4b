"""Write a plugin package with a trained encoder."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from serab_core.plugin import FOLDER_FILE, UsageError, replacing_folder
from serab_plugin_byol.pretrain.run_folder import WEIGHTS, extractor_in

if TYPE_CHECKING:
    from pathlib import Path

_PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "serab-plugin-{name}"
version = "0.1.0"
description = "{name}: an encoder of BYOL's family as a serab extractor"
readme = "README.md"
license = {{ text = "{licence}" }}
requires-python = ">=3.11"
dependencies = ["serab-plugin-byol>=0.1,<0.2"]

[project.entry-points."serab.extractors"]
{name} = "{module}"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""
_MODULE = '''\
"""{name}, made by `serab pretrain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.plugin import hookimpl
from serab_plugin_byol.pretrain.run_folder import extractor_in

if TYPE_CHECKING:
    from serab_core.plugin import ExtractorSpec, Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register the encoder in the folder of this file."""
    register(extractor_in(Path(__file__).parent, "{name}", {licence!r}))
'''
_README = """\
# serab-plugin-{name}

{summary}

    pip install .
    serab eval {name}

`{module}/config.toml` has every hyper-parameter of its training. Licence of the weights: {licence}.
"""


def write_package(run: Path, name: str, licence: str, folder: Path) -> Path:
    """Write the package and return its folder.

    Args:
        run: the folder of a training.
        name: the extractor's public name.
        licence: licence of the weights.
        folder: folder to write; must not exist yet.

    Raises:
        UsageError: the name is not valid, or the folder exists.
        StoreError, WeightsError: the run holds no complete extractor, or the folder cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UsageError(f"{name!r} is not a valid name", next_step="use lower-case letters, digits and single hyphens")
    if '"' in licence or "\n" in licence or not licence.strip():
        raise UsageError("the licence must be one line without quotes", next_step="write for example MIT")
    if folder.exists():
        raise UsageError("exists already", where=folder, next_step="choose another folder")
    spec = extractor_in(run)
    module = f"serab_plugin_{name.replace('-', '_')}"
    values = {"name": name, "module": module, "licence": licence, "summary": spec.summary}
    with replacing_folder(folder) as temporary:
        (temporary / module).mkdir()
        (temporary / "pyproject.toml").write_text(_PROJECT.format(**values), encoding="utf-8")
        (temporary / "README.md").write_text(_README.format(**values), encoding="utf-8")
        (temporary / module / "__init__.py").write_text(_MODULE.format(**values), encoding="utf-8")
        for file in (WEIGHTS, FOLDER_FILE, "config.toml"):
            shutil.copyfile(run / file, temporary / module / file)
    return folder
