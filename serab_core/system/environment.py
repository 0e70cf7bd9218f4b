"""Changes of this process's environment variables. No other room writes them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def set_variables(variables: Mapping[str, str | None]) -> None:
    """Set variables; None removes one."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def restore_variables(saved: Mapping[str, str]) -> None:
    """Make the environment equal to a copy that was made before."""
    set_variables(dict.fromkeys(os.environ.keys() - saved.keys()))
    set_variables({name: value for name, value in saved.items() if os.environ.get(name) != value})


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set a variable, and restore its value at the end."""
    before = os.environ.get(name)
    set_variables({name: value})
    try:
        yield
    finally:
        set_variables({name: before})
