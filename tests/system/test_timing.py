"""Time by stage."""

from __future__ import annotations

import threading
import time

import pytest

from serab_core.system.timing import PHASES, measure_times, sum_times, timed


def test_inner_stages_are_not_counted_twice(monkeypatch):
    now = 100.0

    def work(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    with measure_times() as clock:
        with timed("embed"):
            work(2)
            with timed("features"):
                work(4)
            work(1)
        work(3)
    assert clock.seconds == {"embed": 3.0, "features": 4.0}


def test_time_counts_up_to_an_error():
    with measure_times() as clock:
        with pytest.raises(ValueError, match="oh"), timed("decode"):
            raise ValueError("oh")
        with timed("decode"):
            pass
    assert list(clock.seconds) == ["decode"]


def test_without_a_clock_and_in_other_threads_nothing_is_counted():
    def other():
        with timed("decode"):
            pass

    other()
    with measure_times() as outer:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with measure_times() as inner, timed("tune"):
            pass
        with timed("store"):
            pass
    assert list(outer.seconds) == ["store"]
    assert list(inner.seconds) == ["tune"]


def test_sums_are_in_the_order_of_the_data():
    assert sum_times({"tune": 1.0, "decode": 2.0}, {"decode": 3.0}) == {"decode": 5.0, "tune": 1.0}
    assert list(sum_times({"tune": 1.0, "decode": 2.0})) == [name for name in PHASES if name in ("decode", "tune")]
