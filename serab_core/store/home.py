"""`$SERAB_HOME`: the folder where everything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serab_core import settings
from serab_core.errors import store_error
from serab_core.store.durable import make_folder
from serab_core.store.leftovers import DOWNLOADS, sweep, temporary_name


@dataclass(frozen=True, slots=True)
class Home:
    """The home folder and its subfolders."""

    root: Path

    @property
    def datasets(self) -> Path:
        """Prepared corpora, one folder each."""
        return self.root / "datasets"

    @property
    def downloads(self) -> Path:
        """Downloads of corpora that are not prepared yet, one folder each."""
        return self.root / DOWNLOADS

    @property
    def embeddings(self) -> Path:
        """HDF5 shards of embeddings, one folder per fingerprint."""
        return self.root / "embeddings"

    @property
    def weights(self) -> Path:
        """Weight files of extractors, each with a record of its source."""
        return self.root / "weights"

    @property
    def studies(self) -> Path:
        """HDF5 journals of trials, and the outcome of each study."""
        return self.root / "studies"

    @property
    def results(self) -> Path:
        """JSON results, by extractor and task."""
        return self.root / "results"

    @property
    def speed(self) -> Path:
        """Throughput that was measured on this machine; no result depends on it."""
        return self.root / "speed"

    def ensure(self) -> Home:
        """Create the folders, and delete the incomplete files of killed processes.

        Raises:
            StoreError: a folder cannot be created or written.
        """
        for folder in (self.datasets, self.weights, self.embeddings, self.studies, self.results):
            try:
                make_folder(folder)
                probe = temporary_name(folder / "probe")
                probe.touch()
                probe.unlink()
            except OSError as error:
                raise store_error(error, folder) from error
            sweep(folder)
        sweep(self.speed)
        for folder in (
            self.root,
            self.downloads,
            self.root / "isolated",
        ):  # not deep: environments have many files, none temporary
            sweep(folder, deep=False)
        return self


def find_home() -> Home:
    """Return the configured home, or the platform's folder for user data; create nothing. Raises ConfigError."""
    return Home(settings.home())
