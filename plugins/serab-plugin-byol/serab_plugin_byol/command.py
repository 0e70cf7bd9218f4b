"""`serab pretrain`: the commands that train BYOL encoders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.plugin import hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Progress
    from serab_plugin_byol.pretrain.config import Config

SERAB_API_VERSION = 1

group = typer.Typer(no_args_is_help=True, help="Train encoders of BYOL's family on speech without labels.")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
_Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")]


@hookimpl
def serab_register_commands(app: typer.Typer) -> None:
    """Add the command group `serab pretrain`."""
    app.add_typer(group, name="pretrain")


@group.command("byol-s")
def train_command(
    data: Annotated[
        list[Path], typer.Option("--data", "-d", help="Folders of audio, lists of files, or packs; may be repeated.")
    ],
    output: _Output = Path("runs/byol-s"),
    preset: Annotated[str, typer.Option("--preset", help="byol-s, byol-a-2021 or byol-s-released.")] = "byol-s",
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file of hyper-parameters.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, one hyper-parameter.")] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="audiontt or cvt.")] = None,
    size: Annotated[int | None, typer.Option("--size", help="audiontt 512, 1024, 2048; cvt 256, 512, 2048.")] = None,
    epochs: Annotated[float | None, typer.Option("--epochs", help="Passes over the data.")] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Number of optimiser steps, in place of epochs.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Segments per step, over all devices.")] = None,
    accelerator: Annotated[str, typer.Option("--accelerator", help="auto, cpu or cuda.")] = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="Devices on each node.")] = 1,
    nodes: Annotated[int, typer.Option("--nodes", min=1, help="Number of nodes, with torchrun or SLURM.")] = 1,
    bf16: Annotated[bool, typer.Option("--bf16", help="Mixed precision in bfloat16.")] = False,
    accumulate: Annotated[
        int, typer.Option("--accumulate", min=1, help="Number of smaller batches whose gradients make one step.")
    ] = 1,
    save_every: Annotated[int, typer.Option("--save-every", min=1, help="Steps between checkpoints.")] = 500,
    log_every: Annotated[int, typer.Option("--log-every", min=1, help="Steps between lines of the logs.")] = 10,
    probe: Annotated[str, typer.Option("--probe", help="A prepared task on which to probe the encoder.")] = "",
    probe_every: Annotated[int, typer.Option("--probe-every", min=1, help="Steps between two probes.")] = 500,
    as_json: _Json = False,
) -> None:
    """Train an encoder. The same command resumes a stopped training; `serab eval FOLDER` scores the encoder."""
    import msgspec

    from serab_core.plugin import print_json, progress_on, stderr, stdout
    from serab_plugin_byol.pretrain.data.segments import Segments
    from serab_plugin_byol.pretrain.fit import Machine, fit

    given = {"encoder": encoder, "size": size, "epochs": epochs, "batch": batch}
    configuration = _config(preset, config, settings or [], {k: v for k, v in given.items() if v is not None})
    first = _is_first()
    progress = progress_on(stderr(), quiet=not first)
    segments = Segments(_packs(data, progress))
    machine = Machine(
        accelerator, devices, nodes, bf16, accumulate, save_every, log_every, probe=probe, probe_every=probe_every
    )
    summary = fit(output, configuration, segments, machine, progress, steps)
    if not first:
        return
    if as_json:
        print_json(msgspec.to_builtins(summary))
        return
    stdout().print(f"{summary.steps:,} steps; next: serab eval {output}")


@group.command("pack")
def pack_command(
    sources: Annotated[list[Path], typer.Argument(metavar="DATA ...", help="Folders of audio, or lists of files.")],
    output: _Output,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Number of processes; by default one per core.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Decode and resample audio once, and write shards that training maps into memory."""
    import msgspec

    from serab_core.plugin import available_cores, print_json, progress_on, stderr, stdout
    from serab_plugin_byol.documents import PackSummary
    from serab_plugin_byol.pretrain.data.pack import pack
    from serab_plugin_byol.pretrain.data.sources import audio_files

    errors = stderr()
    packed = pack(audio_files(sources), output, progress_on(errors), jobs=jobs or available_cores())
    for name, reason in packed.skipped[:10]:
        errors.print(f"Left out: {name} {reason}", soft_wrap=True)
    if len(packed.skipped) > 10:
        errors.print(f"... and {len(packed.skipped) - 10} more")
    if as_json:
        summary = PackSummary(
            schema="serab.pack-summary/1",
            shards=tuple(str(path) for path in packed.shards),
            clips=packed.clips,
            seconds=packed.seconds,
            skipped=packed.skipped,
        )
        print_json(msgspec.to_builtins(summary))
        return
    text = f"{packed.clips:,} clips, {packed.seconds / 3600:.2f} h, in {len(packed.shards)} files in {output}"
    stdout().print(text, soft_wrap=True)


@group.command("speech")
def speech_command(
    segments: Annotated[list[Path], typer.Argument(metavar="CSV ...", help="AudioSet's segment lists.")],
    audio: Annotated[Path, typer.Option("--audio", help="The folder of AudioSet's audio.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The list of files to write.")] = Path("speech.txt"),
) -> None:
    """List the files of AudioSet that are labelled with Speech or one of its subclasses."""
    import os

    from serab_core.plugin import DataError, stdout, write_output
    from serab_plugin_byol.pretrain.data.audioset import files_of, speech_ids

    ids = speech_ids(segments)
    files = files_of(ids, audio)
    if not files:
        raise DataError(
            f"holds no file of the {len(ids):,} segments with speech",
            where=audio,
            next_step="check --audio and the CSV",
        )
    base = output.absolute().parent
    write_output(output, "".join(f"{os.path.relpath(path.absolute(), base)}\n" for path in files).encode())
    text = f"{len(files):,} files of {len(ids):,} segments with speech; next: serab pretrain pack {output} -o pack"
    stdout().print(text, soft_wrap=True)


@group.command("export")
def export_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training.")],
    name: Annotated[str, typer.Option("--name", help="The extractor's public name, such as my-byol.")],
    licence: Annotated[str, typer.Option("--licence", help="Licence of the weights: an SPDX id, or text.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write; by default ./serab-plugin-NAME.")
    ] = None,
) -> None:
    """Write a plugin package with a trained encoder."""
    from serab_core.plugin import stdout
    from serab_plugin_byol.pretrain.package import write_package

    folder = write_package(run, name, licence, output or Path(f"serab-plugin-{name}"))
    text = f"{folder} is a package. Next: pip install {folder} && serab eval {name}"
    stdout().print(text, soft_wrap=True)


@group.command("presets")
def presets_command() -> None:
    """Show the presets and every hyper-parameter."""
    from serab_core.plugin import stdout, table
    from serab_plugin_byol.pretrain.config import PRESETS, preset

    configurations = [preset(name) for name in PRESETS]
    shown = table("Hyper-parameter", *PRESETS)
    for name in configurations[0].__slots__:
        if name != "preset":
            shown.add_row(name, *(str(getattr(config, name)) for config in configurations))
    stdout().print(shown)


def _is_first() -> bool:
    """Return whether this is the first of the processes that torchrun, SLURM or Lightning started."""
    import os

    ranks = [os.environ[name] for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID") if name in os.environ]
    return not ranks or ranks[0] == "0"


def _config(preset: str, file: Path | None, settings: list[str], given: dict[str, object]) -> Config:
    from serab_plugin_byol.pretrain import config as configs

    configuration = configs.preset(preset)
    if file is not None:
        configuration = configs.read(file, configuration)
    return configs.changed(configuration, {**configs.parse_settings(settings), **given}, "the command line")


def _packs(data: list[Path], progress: Progress) -> list[Path]:
    """Return the packs among `data`, and a pack of all other sources, which is written into the home."""
    from serab_core.plugin import available_cores, digest, exclusive, find_home, store_error
    from serab_plugin_byol.pretrain.data.pack import pack
    from serab_plugin_byol.pretrain.data.sources import audio_files

    packs = [path for path in data if path.suffix == ".h5" or (path.is_dir() and any(path.glob("pack-*.h5")))]
    others = [path for path in data if path not in packs]
    if others:
        files = audio_files(others)
        stamps = [[str(path), (status := path.stat()).st_size, status.st_mtime_ns] for path in files]
        folder = find_home().root / "packs" / digest(stamps)[:32]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with exclusive(
                folder / "lock"
            ):  # torchrun starts several processes: the first one packs, the others reuse its pack
                pack(files, folder, progress, jobs=available_cores())
        except OSError as error:
            raise store_error(error, folder) from error
        packs.append(folder)
    return packs
