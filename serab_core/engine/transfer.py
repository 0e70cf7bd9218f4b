"""A job with the files that it needs, for a worker that does not see them; and back, the files that it made.

A worker that sees home and audio gets a parcel without files. Any other unpacks them into a temporary home, does the
job there, and what is new in that home goes back as bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from serab_core.embed.blocks import Block
from serab_core.run.jobs import Source, journals_of
from serab_core.store.atomic import write_bytes
from serab_core.store.home import Home
from serab_core.types import ProtocolSpec, Utterance

_AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A job on its way.

    Attributes:
        function, arguments: one of `run.jobs`, and plain values.
        files: contents by path below the home; audio by its own path, below `audio/`.
        away: the worker does not see the home.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    away: bool = False

    def carry_out(self, home: str) -> tuple[Any, dict[str, bytes]]:
        """Does the job, on the worker.

        Args:
            home: of the process that asked, for a worker that sees it.

        Returns:
            what the function returns, and the files that it made, by path below the home; none where the home is seen.
        """
        if not self.away and not self.files:
            os.environ["SERAB_HOME"] = home
            return self.function(*self.arguments), {}
        with tempfile.TemporaryDirectory(prefix="serab-parcel-") as folder:
            root = Path(folder)
            for name, content in self.files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            if not self.away:
                os.environ["SERAB_HOME"] = home
            own = str(root) if self.away else home
            value = self.function(*(_moved(one, home, own, root, self.files) for one in self.arguments))
            return value, self._made(root) if self.away else {}

    def _made(self, root: Path) -> dict[str, bytes]:
        found = {}
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not name.startswith(f"{_AUDIO}/"):
                content = path.read_bytes()
                if self.files.get(name) != content:
                    found[name] = content
        return found

    def put_away(self, made: dict[str, bytes], home: Home) -> None:
        """Writes what came back into the home; manifests last, for they say that their file is there.

        Raises:
            StoreError: it cannot be written.
            ValueError: a worker sent a file that belongs elsewhere.
        """
        for name in sorted(made, key=lambda name: (name.endswith(".json"), name)):
            room, *rest = Path(name).parts
            if room not in ("embeddings", "studies") or not rest or ".." in rest:
                raise ValueError(f"a worker sent {name}, which is none of its business")
            write_bytes(home.root / name, made[name])


def pack(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    home: Home,
    *,
    home_seen: bool,
    audio_seen: Callable[[Path], bool],
) -> Parcel:
    """Puts a job and what its worker does not see into a parcel.

    Args:
        function, arguments: the job.
        home: of this process.
        home_seen: the workers see it.
        audio_seen: whether they see an audio file.
    """
    files: dict[str, bytes] = {}
    for utterance in _utterances(arguments):
        path = Path(utterance.path)
        if not audio_seen(path):
            files[_audio_name(utterance)] = path.read_bytes()
    if not home_seen:
        for own in _needed(arguments):
            if own.exists():
                files[own.relative_to(home.root).as_posix()] = own.read_bytes()
    return Parcel(function, tuple(arguments), files, away=not home_seen)


def _utterances(arguments: Sequence[Any]) -> list[Utterance]:
    """Those whose audio a job reads: of a block, or of a training split."""
    found: list[Utterance] = []
    for one in arguments:
        if isinstance(one, Block):
            found += one.utterances
        elif isinstance(one, tuple) and one and isinstance(one[0], Utterance):
            found += one
    return found


def _needed(arguments: Sequence[Any]) -> list[Path]:
    """The files of the home that a job reads: of a search, the embeddings and its journals."""
    source = next((one for one in arguments if isinstance(one, Source)), None)
    if source is None:
        return []
    shards = [path for block in source.blocks() for path in (block.shard.path, block.shard.manifest)]
    protocol = next(one for one in arguments if isinstance(one, ProtocolSpec))
    name = next(one for one in arguments if isinstance(one, str))
    return shards + journals_of(name, protocol, source)


def _moved(value: Any, old: str, new: str, root: Path, files: dict[str, bytes]) -> Any:
    """An argument with its paths where they are on this machine."""
    if isinstance(value, Utterance):
        name = _audio_name(value)
        return replace(value, path=str(root / name)) if name in files else value
    if isinstance(value, tuple) and value and isinstance(value[0], Utterance):
        return tuple(_moved(one, old, new, root, files) for one in value)
    if isinstance(value, Block):
        folder = Path(new) / value.shard.folder.relative_to(old)
        utterances = _moved(value.utterances, old, new, root, files)
        return replace(value, utterances=utterances, shard=replace(value.shard, folder=folder))
    if isinstance(value, Source):
        return replace(value, home=new)
    return value


def _audio_name(utterance: Utterance) -> str:
    return f"{_AUDIO}/{utterance.sha256}{Path(utterance.path).suffix}"
