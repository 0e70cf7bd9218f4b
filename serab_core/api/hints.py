"""Commands and options in messages for Python programs: a function of `serab` where there is one."""

from __future__ import annotations

import json

from serab_core.system.hints import CommandLine

FUNCTIONS = {
    "compare": "compare",
    "data fetch": "fetch",
    "data list": "datasets",
    "data prepare": "prepare",
    "eval": "evaluate",
    "list classifiers": "classifiers",
    "list datasets": "datasets",
    "list extractors": "extractors",
}
"""Functions of `serab` by command."""
ARGUMENTS = {
    "compare": {"tasks", "protocol", "metric"},
    "datasets": set[str](),
    "fetch": {"accept_licence", "to"},
    "prepare": {"copy", "allow_partial", "folder"},
    "evaluate": {"tasks", "protocol", "variant", "classifiers", "tuner", "trials", "jobs", "engine", "fresh"},
    "classifiers": set[str](),
    "extractors": set[str](),
}
"""Arguments of each function that are options of the command."""


class Python(CommandLine):
    """Writes calls and arguments for a Python program; other commands and options as for a shell."""

    def command(self, name: str, /, *arguments: str, **options: object) -> str:
        """Return a call, such as `serab.prepare("emodb", "PATH")`, or a command for a shell."""
        function = FUNCTIONS.get(name)
        if function is None or not options.keys() <= ARGUMENTS[function]:
            return f"{super().command(name, *arguments, **options)} in a shell"
        values: list[object] = [list(arguments)] if function == "evaluate" and len(arguments) > 1 else [*arguments]
        given = [json.dumps(value, ensure_ascii=False) for value in values]
        given += [self.option(key, value) for key, value in options.items() if value]
        return f"`serab.{function}({', '.join(given)})`"

    def option(self, name: str, value: object = True) -> str:
        """Return an argument, such as `folder="NAME"`; without a value only its name, or `fresh=True` for a switch."""
        argument = name.replace("-", "_")
        if not any(argument in names for names in ARGUMENTS.values()):
            return super().option(name, value)
        if value is True:
            return f"{argument}=True" if argument in ("accept_licence", "copy", "allow_partial", "fresh") else argument
        if isinstance(value, list | tuple):
            value = value[0] if len(value) == 1 else list(value)
        return f"{argument}={json.dumps(value, ensure_ascii=False)}"
