"""Commands and options in messages, shown as whoever reads them would type them.

Code that finds a mistake does not know who called it: a command line or a Python program. It marks the commands and
options that its message names, and the message is rendered where it is shown:

    f"{name} is not prepared. Prepare it with {command('data prepare', name, 'PATH')}."

The command line shows `serab data prepare emodb PATH`, a Python program `serab.prepare('emodb', PATH)`. Each interface
registers how it shows them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from serab_core.system.session import current_session

if TYPE_CHECKING:
    from collections.abc import Callable

    Kind = Literal["command", "option"]
    Renderer = Callable[[Kind, str], str]

# Characters for private use (Unicode, section 23.5) stand in no other text of serab.
_COMMAND, _OPTION, _END = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"([{_COMMAND}{_OPTION}])([^{_COMMAND}{_OPTION}{_END}]*){_END}")
_renderers: dict[str, Renderer] = {}


def command(*words: object) -> str:
    """Mark a command, such as `command("data prepare", name, "PATH")`."""
    return f"{_COMMAND}{' '.join(str(word) for word in words if str(word))}{_END}"


def option(name: str, value: object = "") -> str:
    """Mark an option by its name without dashes, with a value where there is one."""
    return f"{_OPTION}{name} {value}".rstrip() + _END


def register_renderer(interface: str, renderer: Renderer) -> None:
    """Set how an interface shows commands and options: it gets the kind and the text of a mark."""
    _renderers[interface] = renderer


def render(text: str) -> str:
    """Return a text with its marks as the interface of the current session shows them."""
    if _END not in text:
        return text
    renderer = _renderers.get(current_session().interface, _neutral)
    return _MARK.sub(lambda mark: renderer("command" if mark[1] == _COMMAND else "option", mark[2]), text)


def render_document(value: Any) -> Any:
    """Return plain values, such as a document for JSON, with the marks in all texts rendered."""
    if isinstance(value, str):
        return render(value)
    if isinstance(value, dict):
        return {key: render_document(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render_document(item) for item in value]
    return value


def _neutral(kind: Kind, text: str) -> str:
    return f"the {kind} `{text}`"
