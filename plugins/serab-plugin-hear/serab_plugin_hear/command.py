"""`serab hear-export`: a module with the HEAR API around an extractor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serab_core.plugin import hookimpl

SERAB_API_VERSION = 1
_MODULE = '''\
"""The HEAR API around {name}; made by `serab hear-export`."""

from serab_plugin_hear.api import hear_api

load_model, get_timestamp_embeddings, get_scene_embeddings = hear_api({name!r}, {state!r})
'''


@hookimpl
def serab_register_commands(app: typer.Typer) -> None:
    """Add the command."""
    app.command("hear-export", help="Write a module with the HEAR API around an extractor.")(export_command)


def export_command(
    extractor: Annotated[str, typer.Argument(metavar="X", help="The extractor.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.")] = None,
    task: Annotated[
        str, typer.Option("--task", "-t", help="A prepared task, for an extractor that uses corpus statistics.")
    ] = "",
) -> None:
    """Write a module with the HEAR API around an extractor."""
    import re

    from serab_core.plugin import (
        UsageError,
        find_home,
        find_protocol,
        fit_corpus,
        get_extractor,
        known_state,
        load_corpus,
        require_weights,
        stdout,
        write_output,
    )

    spec = get_extractor(extractor)
    require_weights(find_home(), spec.name, spec.weights)
    path = output or Path(re.sub(r"\W+", "_", spec.name) + "_hear.py")
    if not path.stem.isidentifier() or path.suffix != ".py":
        raise UsageError("is not a valid file name of a module", where=path, next_step="write --output my_module.py")
    state = None
    if spec.uses_corpus:
        if not task:
            raise UsageError(
                "normalises by statistics of a training split",
                where=spec.name,
                next_step="name the task, for example --task emodb",
            )
        train = [
            u for u in load_corpus(find_home(), task).task(find_protocol("serab")).utterances if u.split == "train"
        ]
        state = dict(known_state(spec, task) or fit_corpus(extractor, train))
    write_output(path, _MODULE.format(name=extractor, state=state).encode())
    text = f"{path} has the HEAR API. Next: hear-validator {path.stem}, or serab eval hear:./{path}"
    stdout().print(text, soft_wrap=True)
