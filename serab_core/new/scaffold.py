"""Creation of the package of a new plugin from templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jinja2 import Environment, StrictUndefined
from packaging.version import Version

from serab_core.errors import UsageError
from serab_core.store.atomic import replacing_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

Kind: TypeAlias = Literal["extractor", "dataset", "classifier"]
Flavour: TypeAlias = Literal["", "torch", "hear"]
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_PREFIX = "serab-plugin-"
_USES: dict[Kind, str] = {
    "extractor": "serab eval {name}",
    "dataset": "serab data prepare {name} FOLDER_OR_ZIP",
    "classifier": "serab eval mfcc-stats --classifiers {name}",
}
_STEPS: dict[str, tuple[str, ...]] = {
    "extractor": (
        "`{package}/__init__.py`: put your model into `{class_name}`, and declare in the spec what affects embeddings.",
        "Declare each file that it loads as a `WeightFile`; `weights_path(file)` returns its path.",
    ),
    "extractor-torch": (
        "`{package}/model.py`: put your network into `{class_name}`; its module is imported in worker processes only.",
        "`{package}/__init__.py`: declare the weight file, and everything else that affects embeddings.",
    ),
    "extractor-hear": (
        "`{package}/hear.py`: put your model behind the three functions of the HEAR API; "
        "`hear-validator {package}.hear` (from `pip install hearvalidator`) checks it against the API.",
        "`{package}/__init__.py`: declare summary and licence; `serab eval hear:{package}.hear` needs no spec.",
    ),
    "dataset": (
        "`{package}/__init__.py`: let `parse` read the file names of your corpus, and `ids` and `example` list them.",
        "Declare the true speakers: splits are drawn by speaker, and a speaker in two splits makes scores too high.",
    ),
    "classifier": (
        "Install an extractor to test it with: `pip install serab-plugin-baselines` provides `mfcc-stats`.",
        "`{package}/__init__.py`: in `Workspace`, do the work once that all points of the search share.",
        "For a scikit-learn estimator, use `prepare=estimator_workspace(lambda params, seed: ...)`.",
    ),
}


@dataclass(frozen=True, slots=True)
class WrittenPackage:
    """A package that was written.

    Attributes:
        folder: the folder of the package.
        distribution, package, name: its names on PyPI, in Python and in serab.
        files: paths of its files below the folder.
        next_steps: the next commands for the user.
    """

    folder: Path
    distribution: str
    package: str
    name: str
    files: tuple[str, ...]
    next_steps: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the package as a JSON document."""
        return {
            "schema": "serab.new/1",
            "folder": str(self.folder),
            "distribution": self.distribution,
            "package": self.package,
            "name": self.name,
            "files": list(self.files),
            "next_steps": list(self.next_steps),
        }


def scaffold(kind: Kind, name: str, parent: Path, *, flavour: Flavour = "", version: str) -> WrittenPackage:
    """Write a package into a new folder, completely or not at all.

    Args:
        kind: kind of plugin.
        name: public name of the extractor, dataset or classifier; a prefix `serab-plugin-` is removed.
        parent: the folder in which the folder of the package is created.
        flavour: for an extractor, `torch` or `hear`; "" for the plain template.
        version: version of serab-core that the package will require.

    Raises:
        UsageError: the name is invalid, or the folder exists.
        StoreError: the folder cannot be written.
    """
    name = name.removeprefix(_PREFIX)
    if not _NAME.fullmatch(name):
        raise UsageError(
            "is not a valid name for a plugin: use lower-case letters and digits, joined by - or _, beginning with a "
            "letter",
            where=name,
            next_step=f"choose for example my-{kind}",
        )
    distribution = _PREFIX + name.replace("_", "-")
    folder = parent / distribution
    if folder.exists():
        raise UsageError("already exists", where=folder, next_step="choose another name, or another parent folder")
    template = kind if not flavour else f"{kind}-{flavour}"
    variables = _template_variables(kind, name, distribution, flavour, version)
    variables["steps"] = "".join(f"- {step.format(**variables)}\n" for step in _STEPS[template])
    environment = Environment(  # noqa: S701  Python and TOML, not HTML
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True
    )
    written = []
    with replacing_folder(folder) as temporary:
        for part in ("common", template):
            for path, text in _templates(files("serab_core.new") / "templates" / part):
                target = PurePosixPath(*(variables["package"] if p == "package" else p for p in path.parts))
                target = target.with_name(target.name.removesuffix(".jinja"))
                file = temporary / target
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(environment.from_string(text).render(variables), encoding="utf-8")
                written.append(str(target))
    steps = (f"cd {distribution}", "pip install -e .", f"serab check {name}", variables["use"])
    return WrittenPackage(folder, distribution, variables["package"], name, tuple(sorted(written)), steps)


def _template_variables(kind: Kind, name: str, distribution: str, flavour: Flavour, version: str) -> dict[str, str]:
    """Return the variables of the templates."""
    core = Version(version)
    title = " ".join(word.capitalize() for word in re.split("[-_]", name))
    bound = f">={core.major}.{core.minor},<{core.major}.{core.minor + 1}"
    requirements = [f"serab-core[standard]{bound}", "numpy>=2.0", *(["torch>=2.6"] if flavour else [])]
    return {
        "kind": kind,
        "article": "an" if kind[0] in "aeiou" else "a",
        "name": name,
        "entry": name,
        "title": title,
        "key": name.replace("-", "_"),
        "bibtex": f"@misc{{{name.replace('-', '_')}, title = {{{title}}}}}",
        "distribution": distribution,
        "package": distribution.replace("-", "_"),
        "class_name": title.replace(" ", ""),
        "use": _USES[kind].format(name=name),
        "requirements": requirements,  # type: ignore[dict-item]
    }


def _templates(folder: Traversable) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the templates below a folder, with their paths."""

    def walk(part: Traversable, above: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
        for entry in sorted(part.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                yield from walk(entry, above / entry.name)
            elif entry.name.endswith(".jinja"):
                yield above / entry.name, entry.read_text(encoding="utf-8")

    yield from walk(folder, PurePosixPath())
