"""The pool: workers that die are replaced, their job is tried elsewhere, and nobody else's is lost."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import CancelledError

import pytest

from serab_core.engine.processes import WorkerPool
from serab_core.errors import WorkerError


@pytest.fixture
def marks(tmp_path):
    """A folder in which jobs say that they were begun."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def make_pool(toys):
    from serab_toys import work

    made = []

    def make(size=2, timeout_s=60.0, told=None, memory_limit=0):
        context = multiprocessing.get_context("spawn")
        pool = WorkerPool(
            size,
            context,
            work.initialise,
            (),
            timeout_s,
            memory_limit,
            lambda *said: (told if told is not None else []).append(said),
        )
        made.append(pool)
        return pool

    yield make
    for pool in made:
        pool.terminate()


def test_a_worker_that_leaks_is_replaced(make_pool):
    from serab_toys import work

    pool = make_pool(size=1, memory_limit=400 << 20)
    processes = [pool.submit(work.leak, 60 << 20).result(60) for _ in range(12)]
    assert 2 <= len(set(processes)) <= 6
    assert len(pool.notices) >= len(set(processes)) - 1
    assert "may leak memory" in pool.notices[0]


def test_a_worker_that_is_large_from_the_start_is_kept(make_pool):
    from serab_toys import work

    pool = make_pool(size=1, memory_limit=50 << 20)
    assert len({pool.submit(work.leak, 0).result(60) for _ in range(4)}) == 1
    assert pool.notices == []


def test_jobs_are_done_and_progress_is_told(make_pool):
    from serab_toys import work

    told = []
    pool = make_pool(told=told)
    futures = [pool.submit(work.double, value) for value in range(20)]
    assert [future.result(60) for future in futures] == [2 * value for value in range(20)]
    pool.shutdown()
    assert told == [("embed", 1)] * 20
    with pytest.raises(RuntimeError, match="has shut down"):
        pool.submit(work.double, 1)


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSEGV", "exit"])
def test_a_job_whose_worker_dies_is_done_elsewhere(make_pool, marks, how):
    from serab_toys import work

    pool = make_pool()
    others = [pool.submit(work.double, value) for value in range(6)]
    assert pool.submit(work.die, str(marks), 2, how).result(60) == 3
    assert [future.result(60) for future in others] == [0, 2, 4, 6, 8, 10]
    assert len({path.name.partition("-")[2] for path in marks.iterdir()}) == 3  # each time in another process


@pytest.mark.parametrize(
    ("how", "said", "advice"),
    [
        ("SIGKILL", "out of memory", "jobs=1 runs"),
        ("SIGSEGV", "native code", "(SERAB_ISOLATE=1) shows the place"),
        ("exit", "exit code 7", "(SERAB_ISOLATE=1) shows the place"),
    ],
)
def test_a_job_that_ends_every_worker_is_given_up_and_named(make_pool, marks, how, said, advice):
    from serab_toys import work

    pool = make_pool()
    fatal = pool.submit(work.die, str(marks), 9, how)
    other = pool.submit(work.double, 4)
    with pytest.raises(WorkerError, match="3 times out of 3") as caught:
        fatal.result(60)
    assert said in caught.value.what
    assert caught.value.where == "die"
    assert advice in caught.value.next_step
    assert other.result(60) == 8
    assert pool.submit(work.double, 5).result(60) == 10  # both workers are there again
    assert len(list(marks.iterdir())) == 3


def test_errors_of_a_jobs_own_are_not_tried_again(make_pool):
    from serab_toys import work

    with pytest.raises(KeyError, match="of its own"):
        make_pool().submit(work.fail).result(60)


def test_a_silent_worker_is_ended_and_one_that_reports_is_not(make_pool):
    from serab_toys import work

    pool = make_pool(timeout_s=1.5)
    begin = time.monotonic()
    silent, busy = pool.submit(work.hang), pool.submit(work.chatter, 4.0)
    with pytest.raises(WorkerError, match="stopped responding for 2 s"):
        silent.result(60)
    assert time.monotonic() - begin < 30
    assert busy.result(60) == "done"


def test_terminate_ends_what_is_under_way(make_pool):
    from serab_toys import work

    pool = make_pool(size=1)
    _, process = pool.submit(work.where, 0.0).result(60)
    hanging, waiting = pool.submit(work.hang), pool.submit(work.double, 1)
    pool.terminate()
    with pytest.raises((WorkerError, CancelledError)):
        hanging.result(10)
    assert waiting.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_waiting_jobs_can_be_cancelled(make_pool):
    from serab_toys import work

    pool = make_pool(size=1)
    first = pool.submit(work.where, 0.5)
    second, third = pool.submit(work.double, 1), pool.submit(work.double, 2)
    assert second.cancel()
    assert first.result(60)
    assert third.result(60) == 4


def test_large_jobs_and_results_go_through(make_pool):
    """Larger than the buffer of a pipe, to workers that still start and to ones that run."""
    from serab_toys import work

    pool = make_pool(size=2)
    contents = [bytes([number]) * 3_000_000 for number in range(6)]
    futures = [pool.submit(work.double, content) for content in contents]
    assert [future.result(60) for future in futures] == [2 * content for content in contents]


def test_an_error_of_the_display_ends_no_job(toys):
    from serab_toys import work

    def broken(phase, steps):
        raise ValueError("no terminal")

    context = multiprocessing.get_context("spawn")
    pool = WorkerPool(1, context, work.initialise, (), 60.0, 0, broken)
    try:
        assert pool.submit(work.double, 3).result(60) == 6
    finally:
        pool.terminate()
    assert pool.notices == ["Progress could not be shown (ValueError: no terminal)."]


def test_more_jobs_than_a_pipe_holds_messages_are_submitted_while_the_supervisor_is_blocked(toys):
    from serab_toys import work

    reported, go_on = threading.Event(), threading.Event()

    def advance(phase, steps):
        reported.set()
        go_on.wait(60)

    pool = WorkerPool(1, multiprocessing.get_context("spawn"), work.initialise, (), 60.0, 0, advance)
    try:
        first = pool.submit(work.double, 1)
        assert reported.wait(60)
        futures = [pool.submit(work.double, 1) for _ in range(20_000)]
        go_on.set()
        assert first.result(60) == futures[0].result(60) == 2
    finally:
        pool.terminate()
    assert all(future.done() for future in futures)


def test_a_supervisor_that_fails_leaves_nobody_waiting(make_pool, monkeypatch):
    from serab_toys import work

    pool = make_pool(size=1)
    running, waiting = pool.submit(work.where, 30.0), pool.submit(work.double, 1)
    deadline = time.monotonic() + 30
    while not running.running() and time.monotonic() < deadline:
        time.sleep(0.01)
    monkeypatch.setattr(pool, "_kill_silent_workers", lambda: 1 / 0)
    with pytest.raises(WorkerError, match="supervisor of its worker failed .ZeroDivisionError"):
        running.result(60)
    assert waiting.cancelled()
