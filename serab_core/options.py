"""Options of extractors: `name+option+option=value`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core.errors import UnknownNameError, UsageError
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import ExtractorSpec


def with_options(spec: ExtractorSpec, options: Sequence[str]) -> ExtractorSpec:
    """Return the extractor with options; its name becomes `name+option+option=value`, with sorted options.

    Raises:
        UnknownNameError: it has no such option.
        UsageError: an option is given twice, or its value is invalid.
    """
    pairs = [option.partition("=") for option in options]
    chosen = {key: value for key, _, value in pairs}
    for key in chosen:
        if key not in spec.options or spec.configure is None:
            known = "; ".join(f"+{option}: {text}" for option, text in spec.options.items())
            raise UnknownNameError(
                f"{spec.name} has no option {key!r}",
                next_step=f"its options are {known}"
                if known
                else "it has no options: leave out the + and the text behind it",
            )
    if len(chosen) < len(pairs):
        raise UsageError("an option is given twice", where=spec.name, next_step="give each option once")
    assert spec.configure is not None
    try:
        configured = spec.configure(chosen)
    except ValueError as error:
        raise UsageError(
            str(error),
            where=spec.name,
            next_step=f"{command('list extractors', json=True)} shows the values of options",
        ) from error
    text = "".join(f"+{key}={chosen[key]}" if chosen[key] else f"+{key}" for key in sorted(chosen))
    return replace(configured, name=f"{spec.name}{text}")
