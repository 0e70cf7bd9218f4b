"""Transfers jobs to workers that do not see the home or the audio: each job is packed with the files that it reads.

A worker that sees the home and the audio gets a job without files. Any other worker unpacks the files into a
temporary home and runs the job there; the new files of that home are returned as bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from serab_core.store.atomic import write_bytes
from serab_core.store.home import Home
from serab_core.system.session import Session, current_session, use_session
from serab_core.types import Utterance

_AUDIO = "audio"


class TransferableJob(Protocol):
    """The interface of a job that can run on another machine; the jobs are in `run.jobs`."""

    @property
    def label(self) -> str:
        """A name for messages."""

    def run(self) -> Any:
        """Do the work."""

    def audio(self) -> Sequence[Utterance]:
        """Return the utterances whose audio files the job reads."""

    def reads(self) -> Sequence[Path]:
        """Return the files of the home that the job reads, whether or not they exist."""

    def relocated(self, home: Path, audio: Mapping[str, Path]) -> TransferableJob:
        """Return the job with the paths of another machine."""


def run_job(job: TransferableJob) -> Any:
    """Run a job. Executors get this function, with the job as its argument."""
    return job.run()


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job with its files.

    Attributes:
        files: contents of files, by path below the home.
        audio: contents of audio files, by the sha256 of their samples, each with the suffix of its name.
        home: the home of the process that submits the job.
        remote: the worker does not see that home.
    """

    job: TransferableJob
    home: Path
    files: Mapping[str, bytes] = field(default_factory=dict)
    audio: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    remote: bool = False

    def run(self, session: Session) -> tuple[Any, dict[str, bytes]]:
        """Run the job, on the worker.

        Args:
            session: the session of the process that submitted the job.

        Returns:
            the result of the job, and the files that it wrote, by path below the home; no files if the worker sees
            the home.
        """
        # One session for all jobs of a run, so that extractors and features stay loaded between jobs.
        session = current_session().cached(("session of jobs", session), lambda: session)
        if not self.remote and not self.audio:
            with use_session(session):
                return self.job.run(), {}
        with tempfile.TemporaryDirectory(prefix="serab-job-") as folder:
            root = Path(folder)
            for name, content in self.files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            audio = {}
            for sha256, (suffix, content) in self.audio.items():
                audio[sha256] = root / _AUDIO / f"{sha256}{suffix}"
                audio[sha256].parent.mkdir(exist_ok=True)
                audio[sha256].write_bytes(content)
            # A remote worker uses the weights and settings of the home on its own machine.
            with use_session(session.with_home(None) if self.remote else session):
                value = self.job.relocated(root if self.remote else self.home, audio).run()
            return value, self._new_files(root) if self.remote else {}

    def _new_files(self, root: Path) -> dict[str, bytes]:
        files = {}
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not name.startswith(f"{_AUDIO}/"):
                content = path.read_bytes()
                if self.files.get(name) != content:
                    files[name] = content
        return files

    def unpack(self, files: Mapping[str, bytes], home: Home) -> None:
        """Write the files that a worker returned into the home; manifests last, because they mark complete files.

        Raises:
            StoreError: a file cannot be written.
            ValueError: a worker returned a file that jobs must not write.
        """
        for name in sorted(files, key=lambda name: (name.endswith(".json"), name)):
            room, *rest = Path(name).parts
            if room not in ("embeddings", "studies") or not rest or ".." in rest:
                raise ValueError(f"a worker returned {name}, which jobs must not write")
            write_bytes(home.root / name, files[name])


def pack(job: TransferableJob, home: Home, *, home_seen: bool, audio_seen: Callable[[Path], bool]) -> RemoteJob:
    """Return a job with the files that its worker does not see.

    Args:
        job: the job.
        home: the home of this process.
        home_seen: the workers see this home.
        audio_seen: returns whether the workers see an audio file.
    """
    audio = {}
    for utterance in job.audio():
        path = Path(utterance.path)
        if not audio_seen(path):
            audio[utterance.sha256] = (path.suffix, path.read_bytes())
    files = {}
    if not home_seen:
        for path in job.reads():
            if path.exists():
                files[path.relative_to(home.root).as_posix()] = path.read_bytes()
    return RemoteJob(job, home.root, files, audio, remote=not home_seen)
