"""Test third-party plugins against this tree: install each of them, run its tests and checks, and score it.

python run.py FOLDER
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEW_PACKAGES = [  # arguments of `serab new`
    ("extractor", "down-model"),
    ("extractor", "down-net", "--torch"),
    ("extractor", "down-ear", "--hear"),
    ("dataset", "down_corpus"),
    ("classifier", "down-means"),
]
SCORED = ["down-model", "down-net", "down-ear", "example"]


def main(folder: Path) -> None:
    """Write the packages, install them, test and score them, and uninstall them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    projects = []
    for kind, name, *options in NEW_PACKAGES:
        run("serab", "new", kind, name, *options, "--folder", folder)
        projects.append(folder / f"serab-plugin-{name.replace('_', '-')}")
    shutil.copytree(ROOT / "tests" / "example_plugin", folder / "serab-plugin-example")
    projects.append(folder / "serab-plugin-example")
    pip = (sys.executable, "-m", "pip")
    install = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index")
    try:
        run(*pip, *install, *(argument for project in projects for argument in ("-e", project)))
        for project in projects:
            if (project / "tests").is_dir():
                run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
        run("serab", "check", *(project.name for project in projects))
        run("serab", "eval", *SCORED, "chance", "--classifiers", "down-means,lda")
    finally:
        known = [p.name for p in projects if _is_installed(p.name)]
        if known:
            run(*pip, "uninstall", "-q", "-y", *known)


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def run(*arguments: object, cwd: Path | None = None) -> None:
    """Run a command. If it fails, exit with a message that names its exit code."""
    command = [str(argument) for argument in arguments]
    print("$", " ".join(command), flush=True)
    completed = subprocess.run(command, cwd=cwd, env={**os.environ, "COLUMNS": "100"}, check=False)
    if completed.returncode:
        sys.exit(f"failed with {completed.returncode}: {' '.join(command)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
