"""Creates isolated environments for plugins: virtual environments in the home, which pip fills."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
import venv
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

import serab_core
from serab_core import plugins
from serab_core.errors import PluginError, SerabError, UnknownNameError, UsageError
from serab_core.isolation import environments
from serab_core.isolation.environments import FILE, Environment, folder_of, interpreter_in
from serab_core.isolation.record import EnvironmentDocument
from serab_core.plugins.entry_points import Group, PluginState, read_catalog
from serab_core.plugins.proxy import Place, end_processes
from serab_core.store.atomic import remove_folder, replacing_folder, write_bytes
from serab_core.store.codec import encode
from serab_core.store.leftovers import sweep
from serab_core.system import offline
from serab_core.system.hints import command

if TYPE_CHECKING:
    from serab_core.types import Progress

CORE = "serab-core"
_MAX_LINES = 12  # lines of pip's output in an error
_MAX_LINE = 300  # characters of each of these lines


def isolate(plugin: str, progress: Progress, python: Path | None = None) -> Environment:
    """Create an isolated environment for a plugin, or replace its environment.

    Args:
        plugin: an extractor, a distribution, the folder or wheel of a distribution, or a requirement of `pip install`.
        progress: receives each step.
        python: the interpreter of an existing environment with the plugin, which is used unchanged.

    Raises:
        UsageError: there is no such folder, or the text is not a requirement.
        PluginError: pip fails, or the installed plugin has no working extractor.
        StoreError: the home cannot be written.
    """
    name, requirement = _requirement(plugin)
    sweep(folder_of(name).parent, deep=False)
    end_processes()
    with replacing_folder(folder_of(name)) as folder, progress.task(f"Isolating {name}", 3) as advance:
        if python is None:
            interpreter = interpreter_in(folder)
            venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
            advance(1)
            _install(interpreter, [*_of_installed(CORE), *requirement], name)
        else:
            interpreter = python.expanduser().absolute()
            advance(1)
        advance(1)
        version, extractors = _inventory(interpreter, name)
        recorded_path = interpreter.relative_to(folder) if python is None else interpreter
        record = EnvironmentDocument("serab.isolated/1", str(recorded_path), name, version, tuple(extractors))
        write_bytes(folder / FILE, encode(record))
        advance(1)
    return next(environment for environment in environments.environments() if environment.name == name)


def remove(plugin: str) -> Environment:
    """Remove a plugin's environment; of an environment given by `python`, only the record. Raises UnknownNameError."""
    name, _ = _requirement(plugin)
    for environment in environments.environments():
        if environment.name == name or plugin in environment.extractors:
            end_processes()
            remove_folder(environment.folder)
            return environment
    raise UnknownNameError(
        f"{plugin} has no isolated environment", next_step=f"{command('plugins')} lists the plugins that have one"
    )


def _requirement(plugin: str) -> tuple[str, list[str]]:
    """Return the distribution's normalised name, and the arguments for `pip install`."""
    path = Path(plugin).expanduser()
    if plugins.is_path(plugin) or os.sep in plugin or path.suffix == ".whl":
        return _name_of(path), [str(path.absolute())]
    entry = plugin.partition("/")[0]
    for record in plugins.registry().records(Group.EXTRACTORS):
        if canonicalize_name(plugin) == record.distribution or entry == record.name:
            return record.distribution, _of_installed(record.distribution)
    for listed in read_catalog():
        if listed.offers(Group.EXTRACTORS, entry):
            return str(canonicalize_name(listed.distribution)), [listed.distribution]
    if path.is_dir():
        raise UsageError(
            "is ambiguous: it is the name of a folder here, and may also be the name of a distribution",
            where=plugin,
            next_step=f"for the folder write .{os.sep}{plugin}; for the distribution change to another folder",
        )
    try:
        return str(canonicalize_name(Requirement(plugin).name)), [plugin]
    except InvalidRequirement as error:
        raise UsageError(
            f"{plugin!r} is neither a distribution nor a folder of one",
            next_step="write it as for `pip install`, such as serab-plugin-tfhub or ./serab-plugin-mine",
        ) from error


def _name_of(path: Path) -> str:
    try:
        if path.suffix == ".whl":
            return str(parse_wheel_filename(path.name)[0])
        return str(canonicalize_name(tomllib.loads((path / "pyproject.toml").read_text("utf-8"))["project"]["name"]))
    except (OSError, ValueError, KeyError, TypeError, InvalidWheelFilename) as error:
        raise UsageError(
            f"is not a distribution ({type(error).__name__})",
            where=path,
            next_step="give a wheel, or a folder with a pyproject.toml",
        ) from error


def _of_installed(distribution: str) -> list[str]:
    """Return the arguments with which `pip install` installs a distribution as it is installed here."""
    installed = metadata.distribution(distribution)
    origin = _origin(installed)
    if not origin:
        return [f"{distribution}=={installed.version}"]
    if "dir_info" in origin:
        path = url2pathname(urlsplit(origin["url"]).path)
        return ["-e", path] if origin["dir_info"].get("editable") else [path]
    if "vcs_info" in origin:
        return [f"{distribution} @ {origin['vcs_info']['vcs']}+{origin['url']}@{origin['vcs_info']['commit_id']}"]
    return [f"{distribution} @ {origin['url']}"]


def _origin(distribution: metadata.Distribution) -> dict[str, Any]:
    """Return the folder, archive or repository that it was installed from (PEP 610); empty for a package index."""
    origin: dict[str, Any] = json.loads(distribution.read_text("direct_url.json") or "{}")
    return origin


def _local_plugins() -> str:
    """Return constraints for pip, so that plugins installed from local folders come from the same folders."""
    lines = set()
    for record in plugins.registry().records():
        origin = _origin(metadata.distribution(record.distribution))
        if "dir_info" in origin:
            lines.add(f"{record.distribution} @ {origin['url']}\n")
    return "".join(sorted(lines))


def _install(python: Path, wanted: list[str], name: str) -> None:
    constraints = python.parent / "constraints.txt"
    constraints.write_text(_local_plugins(), encoding="utf-8")
    program = [str(python), "-P", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    program += ["--constraint", str(constraints), *wanted]
    variables = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    if offline.is_requested():
        variables["PIP_NO_INDEX"] = "1"
    variables["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    completed = subprocess.run(  # noqa: S603  pip
        program, env=variables, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if completed.returncode:
        lines = (completed.stdout + completed.stderr).strip().splitlines()[-_MAX_LINES:]
        output = "\n".join(line if len(line) < _MAX_LINE else f"{line[:_MAX_LINE]} ..." for line in lines)
        raise PluginError(
            f"pip could not install it:\n{output}",
            where=name,
            next_step="pip's settings apply here, such as PIP_INDEX_URL, PIP_FIND_LINKS and PIP_CONSTRAINT",
        )


def _inventory(python: Path, name: str) -> tuple[str, list[str]]:
    """Return the plugin's version and its extractors, as the interpreter of its environment reports them."""
    try:
        inventory, _ = Place(python, name).ask({"do": "inventory"})
    except SerabError as error:
        step = f"it needs {CORE} {serab_core.__version__} and {name}"
        raise PluginError(error.what, where=python, next_step=step) from error
    finally:
        end_processes()
    records = [record for record in inventory["records"] if record["distribution"] == name]
    if not records:
        distributions = ", ".join(sorted({record["distribution"] for record in inventory["records"]})) or "none"
        raise PluginError(
            "has no extractor", where=name, next_step=f"distributions there that have extractors: {distributions}"
        )
    for record in records:
        if record["state"] != PluginState.LOADED:
            problem = f"{record['name']} does not work in its environment: {record['error']}"
            raise PluginError(problem, where=name, next_step="report it to its author")
    return records[0]["version"], [record["name"] for record in records]
