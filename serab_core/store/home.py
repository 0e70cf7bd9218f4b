"""`$SERAB_HOME`: where everything is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serab_core import settings
from serab_core.errors import store_error
from serab_core.store.durable import make_folder
from serab_core.store.leftovers import sweep, temporary_name


@dataclass(frozen=True, slots=True)
class Home:
    """The folder and its rooms."""

    root: Path

    @property
    def datasets(self) -> Path:
        """Prepared corpora, a folder each."""
        return self.root / "datasets"

    @property
    def embeddings(self) -> Path:
        """HDF5 shards of embeddings, a folder a fingerprint."""
        return self.root / "embeddings"

    @property
    def weights(self) -> Path:
        """The files that extractors load, each with a record of where it comes from."""
        return self.root / "weights"

    @property
    def studies(self) -> Path:
        """HDF5 journals of trials, and what each classifier came to."""
        return self.root / "studies"

    @property
    def results(self) -> Path:
        """JSON results, by extractor and task."""
        return self.root / "results"

    @property
    def speed(self) -> Path:
        """How fast things were on this machine; no result depends on it."""
        return self.root / "speed"

    def ensure(self) -> Home:
        """Makes the folders and clears away what killed processes left half-written.

        Raises:
            StoreError: the folder cannot be made or written.
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
        for folder in (self.root, self.root / "isolated"):  # environments have many files, none with a temporary name
            sweep(folder, deep=False)
        return self


def find_home() -> Home:
    """The home that is set, or the platform's folder for user data. Touches nothing. Raises ConfigError."""
    return Home(settings.home())
