"""A home with something of every kind in it, and each command that changes a home, for tests that interrupt them."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from serab_core.cli.main import run
from serab_core.data.stored_audio import stored_audio_checks
from serab_core.report.progress import Silent
from serab_core.store.home import Home
from serab_core.store.inspect import verify_home
from serab_core.store.leftovers import DOWNLOADS
from serab_core.system.session import current_session
from tests.conftest import TOYS, install

WEIGHTS = b"numbers of a network " * 400

PLUGIN = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl
from serab_core.types import WeightFile

class Means:
    def embed(self, waveforms):
        return np.array([[np.abs(w).mean(), w.std(), len(w) / 1e4] for w in waveforms], np.float32)

def keep(source, target):
    target.mkdir(exist_ok=True)
    (target / "graph.pb").write_bytes(source.read_bytes())
    (target / "variables").mkdir()
    (target / "variables" / "data").write_bytes(source.read_bytes()[::-1])

@hookimpl
def serab_register_extractors(register):
    about = {"licence": "MIT", "citation": "@misc{means}", "summary": "means"}
    register(ExtractorSpec("means", Means, 3, batch_size=8, **about), default=True)
    for name, file in (
        ("file", WeightFile("file.bin", "http://127.0.0.1:PORT/file.bin", licence="MIT", terms="be kind")),
        ("folder", WeightFile("folder", "http://127.0.0.1:PORT/folder.bin", licence="MIT", convert=keep, folder=True)),
    ):
        register(ExtractorSpec(f"means/{name}", Means, 3, weights=(file,), **about))
"""


class Server(BaseHTTPRequestHandler):
    """Serves the weights."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(WEIGHTS)))
        self.end_headers()
        with suppress(OSError):  # the other end was killed
            self.wfile.write(WEIGHTS)

    def log_message(self, *_):
        pass


@dataclass(frozen=True)
class Command:
    """A command line in a world.

    Attributes:
        arguments: of the world and the inputs beside it.
        removes: what may be gone after it.
        code_when_done: the exit code where an interrupted run had done it all.
        is_timed: what it writes holds times, which differ from run to run.
    """

    arguments: Callable[[Path, Path], tuple[str, ...]]
    removes: tuple[str, ...] = ()
    code_when_done: int = 0
    is_timed: bool = False


COMMANDS = {
    "eval": Command(lambda world, inputs: ("eval", "means", "--tasks", "mine", "--jobs", "1", *CLASSIFIERS)),
    "data prepare": Command(lambda world, inputs: ("data", "prepare", "tones", str(inputs / "tones.zip"))),
    "data add": Command(lambda world, inputs: ("data", "add", "linked", str(inputs / "linked.csv"))),
    "data add --copy": Command(lambda world, inputs: ("data", "add", "mine", str(inputs / "mine.csv"), "--copy")),
    "data remove": Command(
        lambda world, inputs: ("data", "remove", "mine", "--yes"), ("corpus mine",), code_when_done=3
    ),
    "weights import": Command(
        lambda world, inputs: ("weights", "import", "means/file", str(inputs / "other.bin"), "--replace", ACCEPT)
    ),
    "weights import, a folder": Command(
        lambda world, inputs: ("weights", "import", "means/folder", str(inputs / "other.bin"), "--replace", ACCEPT)
    ),
    "weights fetch": Command(
        lambda world, inputs: ("weights", "fetch", "means/file", "means/folder", ACCEPT, "--unverified")
    ),
    "results import": Command(lambda world, inputs: ("results", "import", str(inputs / "theirs.json"))),
    "results merge": Command(
        lambda world, inputs: ("results", "merge", str(world / "out" / "all.json"), str(inputs / "theirs.json"))
    ),
    "cache gc": Command(lambda world, inputs: ("cache", "gc", "--yes", "--days", "0")),
    "bench": Command(
        lambda world, inputs: ("bench", "means", "--lengths", "0.1", "--budget", "0.05"), is_timed=True
    ),
    "report": Command(lambda world, inputs: ("report", "--output", str(world / "out" / "report.html"))),
    "plugins isolate": Command(
        lambda world, inputs: ("plugins", "isolate", "serab-means", "--python", sys.executable)
    ),
}  # fmt: skip
CLASSIFIERS = ("--classifiers", "centroid,knn")
ACCEPT = "--accept-licence"


class World:
    """A folder `now` with a home and an output folder, and the state that every command begins from."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.now, self.begin, self.inputs = folder, folder / "now", folder / "begin", folder / "inputs"
        self.inputs.mkdir(parents=True)
        (self.now / "out").mkdir(parents=True)
        self.home = Home(self.now / "home")
        patch.setenv("SERAB_HOME", str(self.home.root))
        patch.setenv("SERAB_CONFIG", "")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self._install_plugins(folder / "site", patch)
        self._patch(patch)
        self._write_inputs()
        self._fill()
        shutil.copytree(self.now, self.begin, symlinks=True)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _install_plugins(self, site: Path, patch: pytest.MonkeyPatch) -> None:
        site.mkdir()
        port = self.server.server_address[1]
        patch.setenv("SERAB_TEST_HTTP", f"127.0.0.1:{port}")
        code = PLUGIN.replace("PORT", str(port))
        (site / "serab_means.py").write_text(code)
        install(site, "serab-means", "0.1", "[serab.extractors]\nmeans = serab_means\n")
        install(site, "serab-toys", "1.2", (TOYS / "entry_points.txt").read_text())
        for folder in (site, TOYS):
            patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", f"{site}:{TOYS}")

    def _patch(self, patch: pytest.MonkeyPatch) -> None:
        """Measure and build the commands only once, and start no process for an inventory: only files matter here."""
        import typer.main

        from serab_core.bench import measure as bench

        measured: dict[str, object] = {}
        real = bench.measure

        def measure_once(name, **options):
            if name not in measured:
                measured[name] = real(name, **options)
            return measured[name]

        patch.setattr(bench, "measure", measure_once)
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        patch.setattr("serab_core.plugins.install._inventory", lambda python, name: ("0.1", ["means"]))

    def _write_inputs(self) -> None:
        from serab_toys import tones

        tones.write(self.inputs / "tones")
        files = sorted((self.inputs / "tones").rglob("*.wav"))
        with zipfile.ZipFile(self.inputs / "tones.zip", "w") as archive:
            for file in files:
                archive.write(file, f"wav/{file.name}")
        some = [file for file in files if file.stem.endswith("_0")]
        for name, chosen in (("mine", some), ("linked", some)):
            rows = [f"{file},{file.stem.split('_')[1]},{file.stem[0]}x" for file in chosen]
            (self.inputs / f"{name}.csv").write_text("\n".join(["path,label,speaker", *rows]))
        (self.inputs / "file.bin").write_bytes(WEIGHTS)
        (self.inputs / "other.bin").write_bytes(WEIGHTS[::-1])

    def _fill(self) -> None:
        inputs = self.inputs
        for words in (
            ("data", "prepare", "tones", str(inputs / "tones.zip")),
            ("data", "add", "mine", str(inputs / "mine.csv"), "--copy"),
            ("data", "add", "linked", str(inputs / "linked.csv")),
            ("eval", "means", "--tasks", "mine", "--jobs", "1", *CLASSIFIERS),
            ("results", "export", str(inputs / "theirs.json")),
            ("eval", "toy", "--tasks", "mine", "--jobs", "1", *CLASSIFIERS),
            ("weights", "import", "means/file", str(inputs / "file.bin"), ACCEPT),
            ("weights", "import", "means/folder", str(inputs / "file.bin"), ACCEPT),
            ("plugins", "isolate", "serab-means", "--python", sys.executable),
            ("bench", "means", "--lengths", "0.1", "--budget", "0.05"),
            ("report", "--output", str(self.now / "out" / "report.html")),
        ):
            current_session().close()
            assert self.call(*words) == 0, words
        # Each command has something to do: the results and embeddings of one extractor are not there any more.
        for folder in (*self.home.results.glob("means*"), self.home.studies):
            shutil.rmtree(folder)
        damaged = self.home.results / "x.json.bad-20260101T000000"
        damaged.write_bytes(b"damaged")
        unused = self.home.embeddings / ("0" * 32)
        unused.mkdir()
        (unused / "x.h5").write_bytes(b"of a version that is not installed")

    def warm(self, name: str) -> None:
        """Load what the processes of a command would load, each for itself."""
        current_session().close()
        assert self.call(*(("cache", "gc") if name == "cache gc" else ("list", "extractors"))) == 0

    @staticmethod
    def call(*words: str) -> int:
        """Run a command line in this process, without its output."""
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
            code = run(list(words))
        if code:
            sys.__stderr__.write(out.getvalue())
        return code

    def arguments(self, name: str) -> tuple[str, ...]:
        return COMMANDS[name].arguments(self.now, self.inputs)

    def reset(self, name: str) -> None:
        """Put everything back as every command finds it."""
        shutil.rmtree(self.now)
        shutil.copytree(self.begin, self.now, symlinks=True)
        if name == "weights fetch":
            for path in self.home.weights.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def in_child(self, name: str, wrap: Callable[[], object] | None = None) -> int:
        """Run a command in a process of its own, and return its exit code; negative where a signal ended it."""
        child = os.fork()
        if child == 0:
            code = 99
            sys.settrace(None)  # coverage would slow this process down, and lose what it has measured at os._exit
            try:
                with nullcontext() if wrap is None else wrap():
                    code = self.call(*self.arguments(name))
            finally:
                sys.__stderr__.flush()
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def whole(self) -> set[str]:
        """Everything that a user has in the home, each held against its checksum; what is damaged is an error."""
        self.home.ensure()
        verified = verify_home(self.home, Silent(), audio=stored_audio_checks(self.home), set_aside=False)
        assert [(str(d.path), d.problem) for d in verified.damaged] == []
        assert [str(error) for error in verified.unreadable] == []
        home = self.home
        things = {f"corpus {path.parent.name}" for path in home.datasets.glob("[!.]*/index.json")}
        things |= {f"weights {path.name}" for path in home.weights.iterdir() if path.suffix == ".json"}
        things |= {f"result {path.relative_to(home.results)}" for path in home.results.rglob("*.json")}
        things |= {f"run {path.name}" for path in home.speed.rglob("runs/*.json")}
        things |= {f"environment {path.parent.name}" for path in home.root.glob("isolated/[!.]*/isolated.json")}
        return things | {f"output {path.name}" for path in (self.now / "out").glob("*.*") if path.stat().st_size}

    def state(self, name: str) -> dict[str, object]:
        """The files of the world, without what differs from run to run."""
        files: dict[str, object] = {}
        for path in self.now.rglob("*"):
            if not path.is_file() or path.is_relative_to(self.home.speed / "embedding") or path.suffix == ".h5":
                continue
            if path.parent.name == DOWNLOADS:  # parts of downloads stay for the next fetch, or for an hour
                continue
            if path.is_relative_to(self.home.speed) and COMMANDS[name].is_timed:
                continue
            content: object = path.read_bytes()
            if path.parent == self.home.weights and path.suffix == ".json":
                content = {key: own for key, own in json.loads(content).items() if key not in ("taken_in", "agreed")}
            if path.suffix == ".html":
                content = len(content) > 10_000
            files[str(path.relative_to(self.now))] = content
        shards = {str(path.relative_to(self.now)): path.read_bytes() for path in self.home.embeddings.rglob("*.h5")}
        return files | shards
