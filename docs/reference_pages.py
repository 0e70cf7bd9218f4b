"""Generate the reference pages from the code: Python API, commands, hooks, specs, checks, settings and errors."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import typer
from serab_registry import API_VERSION, Group

from serab_core import api, errors, hookspecs, settings
from serab_core.cli.main import app
from serab_core.testing import classifiers, datasets, extractors

SPECS = ("ExtractorSpec", "WeightFile", "DatasetSpec", "RemoteFile", "UrlSource", "ZenodoSource", "ManualSource",
         "SplitVariant", "Entry", "SourceFile", "ClassifierSpec", "Range", "Exported", "Examples")  # fmt: skip
PROTOCOLS = ("Extractor", "CorpusExtractor", "WarmExtractor", "Workspace", "Predictor")


def pages() -> dict[str, str]:
    """Return the Markdown of every page by the page's name."""
    return {
        "python": python_page(),
        "commands": commands_page(),
        "hooks": hooks_page(),
        "specs": specs_page(),
        "checks": checks_page(),
        "settings": settings_page(),
        "errors": errors_page(),
    }


def python_page() -> str:
    """Return the page of the names in `serab`; mkdocstrings documents them from signatures and docstrings."""
    lines = ["# Python", "", "The names of `import serab`. See also [how to use serab from Python](../python.md).", ""]
    for name in sorted(api.__all__, key=lambda name: (name[0].isupper(), name)):  # functions first
        lines += [f"::: serab.{name}", ""]
    return "\n".join(lines)


def core_commands() -> dict[str, object]:
    """Return the core's commands by name, such as `serab data prepare`. Plugins document their own commands."""
    commands = {}

    def walk(command, path):
        children = getattr(command, "commands", None)
        if children is None:
            commands[" ".join(path)] = command
        for name, child in (children or {}).items():
            walk(child, [*path, name])

    walk(typer.main.get_command(app), ["serab"])
    return commands


def commands_page() -> str:
    """Return the page of the commands."""
    lines = ["# Commands", "", "Every command has `--help`. `--json` prints a JSON document to stdout.", ""]
    for name, command in core_commands().items():
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
        usage = " ".join([name, *(a.metavar or a.name.upper() for a in arguments)])
        lines += [f"## {name}", "", f"`{usage}{' [OPTIONS]' if options else ''}`", "", _text(command.help), ""]
        rows = [(f"`{a.metavar or a.name.upper()}`", a.help) for a in arguments]
        rows += [(_option(o), o.help) for o in options]
        lines += _table(("Argument or option", "Meaning"), rows)
    return "\n".join(lines)


def _option(option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} `{_TYPES[option.type_descriptor.annotation]}`"


_TYPES = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH", list[str]: "TEXT", list[Path]: "PATH"}


def hooks_page() -> str:
    """Return the page of the hooks that plugins implement."""
    lines = [
        "# Hooks",
        "",
        f"Hook API version {API_VERSION}. A plugin states the version that it was written for: "
        f"`SERAB_API_VERSION = {API_VERSION}`. "
        "A module implements a hook with a function of the same name, decorated with `serab_core.plugin.hookimpl`.",
        "",
    ]
    for name, function in hooks().items():
        lines += [
            f"## {name}",
            "",
            "```python",
            signature(name, function),
            "```",
            "",
            _text(function.__doc__),
        ]
        lines.append("")
    lines += ["## Entry-point groups", ""]
    lines += _table(("Group", "Names"), [(f"`{group.value}`", group.name.lower()) for group in Group])
    return "\n".join(lines)


def signature(name: str, function: object) -> str:
    """Return the signature of a function with its types, as Python code."""
    return f"def {name}{inspect.signature(function)}: ...".replace("'", "")


def hooks() -> dict[str, object]:
    """Return the hook specifications by name."""
    return {name: function for name, function in vars(hookspecs).items() if name.startswith("serab_")}


def specs_page() -> str:
    """Return the page of the specs and protocols; mkdocstrings documents them from the code."""
    lines = ["# Specs", "", "All names can be imported from `serab_core`: `from serab_core import ExtractorSpec`.", ""]
    for name in (*SPECS, *PROTOCOLS):
        lines += [f"::: serab_core.types.{name}", ""]
    return "\n".join(lines)


def checks() -> dict[str, tuple[str, str]]:
    """Return, by the id of each check, what the check protects and how to fix a failure."""
    suites = (extractors.ExtractorChecks, datasets.DatasetChecks, classifiers.ClassifierChecks)
    return {
        f"{suite.kind}-{rationale.name}": (rationale.protects, rationale.fix)
        for suite in suites
        for rationale in suite.rationales().values()
    }


def checks_page() -> str:
    """Return the page of the conformance checks."""
    lines = [
        "# Checks",
        "",
        "`serab check NAME` runs the checks; `pytest --serab-plugin NAME` runs each check as a test. If a plugin "
        "cannot pass a check, its spec declares that, "
        '`expected_failures={"extractor-repeatable": "samples on purpose"}`, and the check must then fail.',
        "",
    ]
    for kind in ("extractor", "dataset", "classifier"):
        rows = [(f"`{name}`", *texts) for name, texts in checks().items() if name.startswith(kind)]
        lines += [f"## Checks of {'an' if kind[0] == 'e' else 'a'} {kind}", ""]
        lines += _table(("Check", "What it protects", "How to fix a failure"), rows)
    return "\n".join(lines)


def settings_page() -> str:
    """Return the page of the settings."""
    rows = [
        (f"`{key}`", f"`{setting.variable}`", settings.KINDS[setting.kind][0], setting.description, setting.default)
        for key, setting in settings.SETTINGS.items()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "See [how to set them](../how-to/settings.md). `serab config --schema` prints this as JSON Schema.",
            "",
            *_table(("Key", "Variable", "Kind", "What it does", "Default"), rows),
        ]
    )


def errors_page() -> str:
    """Return the page of the errors and their exit codes."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SerabError)]
    rows = [
        (str(kind.exit_code), f"`{kind.__name__}({', '.join(_bases(kind))})`", _text(kind.__doc__)) for kind in kinds
    ]
    return "\n".join(
        [
            "# Errors and exit codes",
            "",
            "An error message says what is wrong, where, and what to do next. With `--json`, the error is a document "
            "with the schema `serab.error/1`. Exit code 0 means success.",
            "",
            *_table(("Exit code", "Class", "When"), sorted(rows, key=lambda row: int(row[0]))),
        ]
    )


def _bases(kind: type) -> list[str]:
    return [base.__name__ for base in kind.__bases__]


def _text(text: str | None) -> str:
    return " ".join(re.split(r"\n\s*Args:", text or "")[0].split())


def _table(head: tuple[str, ...], rows: list[tuple[str | None, ...]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(cell or '' for cell in row)} |" for row in rows), ""]
