"""The reference: commands, hooks, specs, checks, settings and errors as Markdown, out of the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import typer
from serab_registry import API_VERSION, Group

from serab_core import api, errors, hookspecs, settings
from serab_core.cli.main import app
from serab_core.testing import classifiers, datasets, extractors

SPECS = ("ExtractorSpec", "WeightFile", "DatasetSpec", "SplitVariant", "Entry", "SourceFile", "ClassifierSpec", "Range",
         "Exported", "Examples")  # fmt: skip
PROTOCOLS = ("Extractor", "CorpusExtractor", "WarmExtractor", "Workspace", "Predictor")


def pages() -> dict[str, str]:
    """Every page by its name."""
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
    """The names of `import serab`, which mkdocstrings documents from their signatures and docstrings."""
    lines = ["# Python", "", "What `import serab` offers; [how to use it](../python.md).", ""]
    for name in sorted(api.__all__, key=lambda name: (name[0].isupper(), name)):  # functions first
        lines += [f"::: serab.{name}", ""]
    return "\n".join(lines)


def own_commands() -> dict[str, object]:
    """Commands by their words, those of groups among them; plugins' commands are theirs to document."""
    found = {}

    def walk(command, words):
        children = getattr(command, "commands", None)
        if children is None:
            found[" ".join(words)] = command
        for name, child in (children or {}).items():
            walk(child, [*words, name])

    walk(typer.main.get_command(app), ["serab"])
    return found


def commands_page() -> str:
    """What can be typed."""
    lines = ["# Commands", "", "Every command has `--help`. `--json` prints a document to stdout.", ""]
    for words, command in own_commands().items():
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
        usage = " ".join([words, *(a.metavar or a.name.upper() for a in arguments)])
        lines += [f"## {words}", "", f"`{usage}{' [OPTIONS]' if options else ''}`", "", _text(command.help), ""]
        rows = [(f"`{a.metavar or a.name.upper()}`", a.help) for a in arguments]
        rows += [(_option(o), o.help) for o in options]
        lines += _table(("Word", "What it is"), rows)
    return "\n".join(lines)


def _option(option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} `{_TYPES[option.type_descriptor.annotation]}`"


_TYPES = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH", list[str]: "TEXT", list[Path]: "PATH"}


def hooks_page() -> str:
    """The contract with plugins."""
    lines = [
        "# Hooks",
        "",
        f"Hook API version {API_VERSION}. A plugin says which it was written for: `SERAB_API_VERSION = {API_VERSION}`. "
        "A module implements a hook by a function of its name, marked with `serab_core.plugin.hookimpl`.",
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
    """A function with its types, as one writes it."""
    return f"def {name}{inspect.signature(function)}: ...".replace("'", "")


def hooks() -> dict[str, object]:
    """The hook specs."""
    return {name: own for name, own in vars(hookspecs).items() if name.startswith("serab_")}


def specs_page() -> str:
    """What plugins declare and hand over, which mkdocstrings documents from its fields, signatures and docstrings."""
    lines = ["# Specs", "", "All of `serab_core` by name: `from serab_core import ExtractorSpec`.", ""]
    for name in (*SPECS, *PROTOCOLS):
        lines += [f"::: serab_core.types.{name}", ""]
    return "\n".join(lines)


def checks() -> dict[str, tuple[str, str]]:
    """What every check protects, and what to do about it, by id."""
    kinds = {"extractor": extractors, "dataset": datasets, "classifier": classifiers}
    return {f"{kind}-{name}": words for kind, module in kinds.items() for name, words in module.RATIONALES.items()}


def checks_page() -> str:
    """The conformance kit."""
    lines = [
        "# Checks",
        "",
        "`serab check NAME` runs them, `pytest --serab-plugin NAME` makes a test of each. One that cannot hold is "
        'declared in the spec, `expected_failures={"extractor-repeatable": "samples on purpose"}`, and must then fail.',
        "",
    ]
    for kind in ("extractor", "dataset", "classifier"):
        rows = [(f"`{name}`", *told) for name, told in checks().items() if name.startswith(kind)]
        lines += [f"## Of {'an' if kind[0] == 'e' else 'a'} {kind}", ""]
        lines += _table(("Check", "What it protects", "What to do"), rows)
    return "\n".join(lines)


def settings_page() -> str:
    """What can be set."""
    rows = [(f"`{own.key}`", f"`{own.variable}`", own.kind, own.words, own.default) for own in settings.SETTINGS]
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
    """What goes wrong, and the exit codes."""
    kinds = [own for own in vars(errors).values() if isinstance(own, type) and issubclass(own, errors.SerabError)]
    rows = [(str(own.exit_code), f"`{own.__name__}({', '.join(_bases(own))})`", _text(own.__doc__)) for own in kinds]
    return "\n".join(
        [
            "# Errors and exit codes",
            "",
            "An error says what happened, to what, and what to do next; with `--json` as a document, `serab.error/1`. "
            "0 says that all is well.",
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
