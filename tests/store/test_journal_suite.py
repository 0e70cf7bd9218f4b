"""The HDF5 journal under Optuna's own test-suite for storages, and shared by processes."""

from __future__ import annotations

import multiprocessing

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.testing.pytest_storages import StorageTestCase

from serab_core.store.journal import Hdf5JournalBackend


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("storage", [False, True], ids=["alone", "shared"], indirect=True)
class TestHdf5JournalStorage(StorageTestCase):
    @pytest.fixture
    def storage(self, request, tmp_path):
        return JournalStorage(Hdf5JournalBackend(tmp_path / "journal.h5", shared=request.param))


def _tell(path, worker: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(Hdf5JournalBackend(path, shared=True))
    study = optuna.load_study(study_name="s", storage=storage)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1) + worker, n_trials=6)


def test_processes_share_a_study(tmp_path):
    path = tmp_path / "journal.h5"
    optuna.create_study(study_name="s", storage=JournalStorage(Hdf5JournalBackend(path, shared=True)))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_tell, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    study = optuna.load_study(study_name="s", storage=JournalStorage(Hdf5JournalBackend(path)))
    trials = study.get_trials()
    assert sorted(t.number for t in trials) == list(range(18))
    assert all(t.state is optuna.trial.TrialState.COMPLETE for t in trials)
    assert not list(tmp_path.glob("*.lock"))
