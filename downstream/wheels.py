"""Build every distribution as a wheel, write a package index of them, and install and use them in a new environment.

    python wheels.py INDEX ENVIRONMENT

The index serves serab's distributions. pip gets all other packages from its default index, in the versions that
constraints.txt pins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECTS = [ROOT, *sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))]
USED = ["serab-plugin-opensmile", "serab-plugin-baselines"]
"""Distributions to install by name. pip also installs serab-core and the plugins of serab-core[standard]."""


def main(index: Path, environment: Path) -> None:
    """Build the wheels, write the index, and use the wheels in a new environment."""
    for folder in (index, environment):
        shutil.rmtree(folder, ignore_errors=True)
    wheels = [build(project, index) for project in PROJECTS]
    serve(index, wheels)
    print(f"{len(wheels)} wheels in {index}")
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(
        python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt",
        "--extra-index-url", (index / "simple").as_uri(), *USED,
    )  # fmt: skip
    home = {"SERAB_HOME": str(environment / "home"), "COLUMNS": "100"}
    serab = python.with_name("serab")
    run(serab, "plugins", "--no-load", **home)
    run(serab, "new", "extractor", "my-model", "--folder", environment, **home)
    run(
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "-c",
        ROOT / "constraints.txt",
        "-e",
        environment / "serab-plugin-my-model",
    )
    run(serab, "check", "my-model", **home)
    run(serab, "eval", "my-model", "opensmile/egemaps", "mfcc-stats", "chance", **home)


def build(project: Path, index: Path) -> Path:
    """Build the wheel of a project and return its path. Exit with a message if it holds files of another project."""
    before = set(index.glob("*.whl"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", index, project, quiet=True)
    (wheel,) = set(index.glob("*.whl")) - before
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    expected = {"serab", "serab_core", "serab_registry"} if project == ROOT else {project.name.replace("-", "_")}
    unexpected = {top for top in tops if not top.endswith(".dist-info")} - expected
    if unexpected:
        sys.exit(f"{wheel.name} holds folders of another project: {sorted(unexpected)}")
    return wheel


def serve(index: Path, wheels: list[Path]) -> None:
    """Write a package index of the wheels for pip: one page for each distribution."""
    for wheel in wheels:
        name = canonicalize_name(wheel.name.partition("-")[0])
        page = index / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f'<!DOCTYPE html><a href="{wheel.as_uri()}">{wheel.name}</a>\n', encoding="utf-8")


def run(*arguments: object, quiet: bool = False, **environment: str) -> None:
    """Run a command. If it fails, exit with a message that names its exit code."""
    command = [str(argument) for argument in arguments]
    if not quiet:
        print("$", " ".join(command), flush=True)
    completed = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL if quiet else None, check=False
    )
    if completed.returncode:
        sys.exit(f"failed with {completed.returncode}: {' '.join(command)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
