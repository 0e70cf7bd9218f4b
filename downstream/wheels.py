"""Builds every distribution as a wheel, lays them out as an index, and uses them in a fresh environment, by name.

    python wheels.py INDEX ENVIRONMENT

The index serves serab's own distributions; everything else comes from where pip gets it, as the constraints pin it.
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
"""Asked for by name: core, and the plugins of serab-core[standard], come along."""


def main(index: Path, environment: Path) -> None:
    """Builds, serves and uses."""
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
    """The wheel of a project. It must not hold another's files."""
    before = set(index.glob("*.whl"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", index, project, quiet=True)
    (wheel,) = set(index.glob("*.whl")) - before
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    expected = {"serab", "serab_core", "serab_registry"} if project == ROOT else {project.name.replace("-", "_")}
    unexpected = {top for top in tops if not top.endswith(".dist-info")} - expected
    if unexpected:
        sys.exit(f"{wheel.name} holds {sorted(unexpected)}")
    return wheel


def serve(index: Path, wheels: list[Path]) -> None:
    """Lays the wheels out as pip wants an index: a page for each name."""
    for wheel in wheels:
        name = canonicalize_name(wheel.name.partition("-")[0])
        page = index / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f'<!DOCTYPE html><a href="{wheel.as_uri()}">{wheel.name}</a>\n', encoding="utf-8")


def run(*arguments: object, quiet: bool = False, **environment: str) -> None:
    """Runs a command; ends with its exit code where it fails."""
    command = [str(word) for word in arguments]
    if not quiet:
        print("$", " ".join(command), flush=True)
    completed = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL if quiet else None, check=False
    )
    if completed.returncode:
        sys.exit(f"failed with {completed.returncode}: {' '.join(command)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
