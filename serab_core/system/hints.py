"""Commands and options in messages, written as the reader would type them.

Code that detects a mistake does not know who called it: a command line or a Python program. It gives
the name of a command or an option, and the interface of the current session writes it:

    next_step=f"prepare it with {command('data prepare', name, 'PATH')}"

gives `serab data prepare emodb PATH` on the command line and `serab.prepare("emodb", "PATH")` in a Python program.
A text that is stored must not contain a command or an option, because another interface may show it later.
"""

from __future__ import annotations

import os
import shlex

from serab_core.system.session import INTERFACE_VARIABLE, current_session


class CommandLine:
    """Writes commands and options for a shell; the interface of `serab`."""

    def command(self, name: str, /, *arguments: str, **options: object) -> str:
        """Return a command, such as `serab data prepare emodb PATH`, in backticks."""
        given = [CommandLine.option(self, key, value) for key, value in options.items() if value]
        return f"`{' '.join(['serab', name, *map(shlex.quote, arguments), *given])}`"

    def option(self, name: str, value: object = True) -> str:
        """Return an option, such as `--folder NAME`; a value of True means that it is not followed by a value."""
        dashed = "--" + name.replace("_", "-")
        value = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
        return dashed if value is True else f"{dashed} {shlex.quote(str(value))}"


COMMAND_LINE = CommandLine()
_of_programs: list[CommandLine] = [COMMAND_LINE]


def set_program_interface(interface: CommandLine) -> None:
    """Set the interface of processes that are not a `serab` command; the Python interface does this."""
    _of_programs[0] = interface


def command(name: str, /, *arguments: str, **options: object) -> str:
    """Return a command as the user of the current session would type it.

    Args:
        name: the command without the program, such as `data prepare`.
        arguments: its arguments.
        options: its options, with underscores for hyphens; True for one without a value. Empty ones are left out.
    """
    return _interface().command(name, *arguments, **options)


def option(name: str, value: object = True) -> str:
    """Return an option, named without dashes, as the user of the current session would type it."""
    return _interface().option(name, value)


def _interface() -> CommandLine:
    chosen = current_session().interface
    if chosen is None:
        return COMMAND_LINE if os.environ.get(INTERFACE_VARIABLE) else _of_programs[0]
    return chosen
