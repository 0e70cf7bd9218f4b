"""Properties of a module's model. They are cached, because listing and every worker would otherwise load the module."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from importlib import metadata
from pathlib import Path

from serab_core.plugin import (
    StoreError,
    UsageError,
    WeightsError,
    digest,
    find_home,
    known_content_sha256,
    known_sha256,
    read_document,
    write_document,
)
from serab_plugin_hear.documents import ModelInfo
from serab_plugin_hear.files import check_weights, content_digest, module_folder, unchanged
from serab_plugin_hear.module import local_base
from serab_plugin_hear.serve import start


def model_info(argument: str) -> ModelInfo:
    """Return the properties of `MODULE` or `MODULE=WEIGHTS`.

    Raises:
        UsageError: there is no such module, or it does not implement the HEAR API.
        WeightsError: the file of weights does not exist.
    """
    module, _, weights = argument.partition("=")
    if weights and not Path(weights).exists():
        raise WeightsError("does not exist", where=weights, next_step="check what follows the = of hear:MODULE=WEIGHTS")
    weights = str(Path(weights).absolute()) if weights else ""
    file = _required_file(module)
    identity = _identity(module, weights, file)
    record = find_home().weights / "hear" / f"{digest([module, weights, identity])[:32]}.json"
    with contextlib.suppress(StoreError):  # a missing or damaged record is computed again
        known = read_document(record, ModelInfo)
        if unchanged(known.files):
            return known
    if weights:
        check_weights(Path(weights))
    process = start(module, weights)
    try:
        facts, _ = process.ask({"do": "describe"})
    except RuntimeError as error:
        raise UsageError(
            f"cannot be used: {error}",
            where=f"hear:{argument}",
            next_step="check that the module's load_model reads these weights"
            if weights
            else "use a module with the HEAR API: load_model, get_scene_embeddings",
        ) from error
    finally:
        process.close()
    answer = {key: facts[key] for key in ("rate", "dim", "framework", "scenes", "together", "files")}
    identity |= {"files_sha256": content_digest(answer["files"], module_folder(module, file))}
    info = ModelInfo(schema="serab.hear-module/2", module=module, weights=weights, identity=identity, **answer)
    write_document(record, info)
    return info


def _required_file(module: str) -> Path:
    """Return the file of a module. Raises UsageError if it does not exist."""
    path = Path(module) if module.endswith(".py") else _file_of(module)
    if path is None or not path.is_file():
        if module.endswith(".py"):
            raise UsageError("does not exist", where=module, next_step="check the path after hear:")
        raise UsageError(
            f"no module has the name {module}",
            where=f"hear:{module}",
            next_step=f"pip install it, or name its file: hear:./{module.rpartition('.')[2]}.py",
        )
    return path


def _identity(module: str, weights: str, file: Path) -> dict[str, str]:
    """Return digests and versions of code and weights, without importing the module."""
    identity = {"module_sha256": known_sha256(file)}
    if weights:
        identity["weights_sha256"] = known_content_sha256(Path(weights))
    if not module.endswith(".py"):  # a path is in no distribution, and reading the metadata of all of them is slow
        for distribution in metadata.packages_distributions().get(module.partition(".")[0], ()):
            identity[distribution] = metadata.version(distribution)
    return identity


def _installed_base(top: str) -> Path | None:
    """Return the folder of an installed package, or the file of an installed module, without importing it."""
    sys.path_importer_cache.clear()
    spec = importlib.util.find_spec(top) if top else None
    if spec is None or spec.origin is None or spec.origin in ("built-in", "frozen"):
        return None
    return Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)


def _equal(local: Path, installed: Path) -> bool:
    """Return whether the module or package of the working folder is the installed one, or an equal copy of it."""
    if local.resolve() == installed.resolve():
        return True
    if local.is_file() or installed.is_file():
        return local.is_file() and installed.is_file() and local.read_bytes() == installed.read_bytes()
    names = [path.relative_to(local) for path in local.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    copies = ((local / name, installed / name) for name in names)
    return all(copy.is_file() and path.read_bytes() == copy.read_bytes() for path, copy in copies)


def _file_of(module: str) -> Path | None:
    """Return the file of a module, without importing its top-level package.

    Raises:
        UsageError: the module is installed, and the working folder has a different module of that name.
    """
    top, *rest = module.split(".")
    local, installed = local_base(top), _installed_base(top)
    if local is not None and installed is not None and not _equal(local, installed):
        step = f"name its file, hear:./{top}.py" if local.is_file() else f"install it, pip install -e {local.parent}"
        raise UsageError(
            f"two modules are called {top}: {installed} is installed, {local} is in the working folder",
            where=f"hear:{module}",
            next_step=f"for the module here {step}; for the installed module change to another folder",
        )
    base = local or installed
    if base is None:
        return None
    if base.is_file():
        return base if not rest else None
    inside = base.joinpath(*rest)
    return (
        inside.with_name(f"{inside.name}.py")
        if inside.with_name(f"{inside.name}.py").is_file() and rest
        else (inside / "__init__.py")
    )
