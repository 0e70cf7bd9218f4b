"""Measuring: sampling that ends, ratios that hold, runs that are kept and compared."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from serab_core.bench.clips import clip
from serab_core.bench.history import changes, find_run, keep, read_run
from serab_core.bench.reference import Reference
from serab_core.bench.sampling import FEWEST, MOST, Lap, Sampler, Samples, lap
from serab_core.errors import StoreError, UsageError

SLOW = """
import time
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Slow:
    def embed(self, waveforms):
        time.sleep({seconds} * sum(map(len, waveforms)) / 16000)
        return np.zeros((len(waveforms), 2), np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("slow", Slow, 2, "sleeps", "MIT", citation="@misc{{slow}}", batch_size=2))
"""


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def samples_of(seconds, reference) -> Samples:
    """Of a process that had its core to itself."""
    return Samples(tuple(Lap(own, own) for own in seconds), tuple(Lap(own, own) for own in reference))


def test_samples_have_their_references_and_end():
    sampler = Sampler(lambda: busy(0.02), lambda: busy(0.002))
    for turn in range(3):
        sampler.turn(0.1)
        assert len(sampler.samples.seconds) >= min(FEWEST, 2 * (turn + 1))
    taken = sampler.samples
    assert len(taken.seconds) == len(taken.reference) <= MOST
    assert taken.quantile(0.5) == pytest.approx(0.02, rel=0.5)
    assert taken.ratio == pytest.approx(10, rel=0.6)


def test_what_does_not_agree_gets_more_within_bounds():
    rng = np.random.default_rng(0)
    sampler = Sampler(lambda: busy(0.02 * rng.choice([1, 4])), lambda: busy(0.002))
    for _ in range(4):
        sampler.turn(0.0)
    assert len(sampler.samples.seconds) == 8
    assert sampler.samples.error > 0.02
    turns = 0
    while sampler.wants_more(1.0):
        sampler.turn(0.0)
        turns += 1
    assert turns == 8
    assert not sampler.wants_more(1.0)
    late = Sampler(lambda: busy(0.05), lambda: busy(0.002))
    late.turn(0.0)
    assert not late.wants_more(0.005)  # has had twelve budgets


def test_the_error_of_a_ratio_is_that_of_a_median():
    rng = np.random.default_rng(1)
    drawn = [samples_of(rng.normal(1.0, 0.1, 40), [1.0] * 40) for _ in range(500)]
    spread = np.std([samples.ratio for samples in drawn])
    assert np.mean([samples.error for samples in drawn]) == pytest.approx(spread, rel=0.1)
    assert samples_of([1.0], [0.1]).error == 0.0


def test_a_slow_machine_has_the_same_ratios():
    quick = samples_of((1.0, 1.1, 0.9), (0.1, 0.11, 0.09))
    slow = samples_of((2.0, 3.3, 1.8), (0.2, 0.33, 0.18))
    assert quick.ratio == pytest.approx(slow.ratio)


def test_other_work_does_not_count_where_one_thread_of_this_process_works():
    """The clock of the second sample ran on while another process had the core."""
    calls, beside = (Lap(1.0, 1.0), Lap(3.0, 1.0), Lap(1.5, 1.0)), (Lap(0.1, 0.1),) * 3
    disturbed = Samples(calls, beside)
    assert disturbed.by_processor
    assert disturbed.ratio == pytest.approx(10.0)
    assert disturbed.quantile(0.5) == 1.5  # what a user waits for is the clock's
    elsewhere = Samples(tuple(Lap(own.clock, 0.01, 2) for own in calls), beside)
    several = Samples(tuple(Lap(own.clock, 1.9 * own.clock) for own in calls), beside)
    untold = Samples(tuple(own._replace(waits=-1) for own in calls), beside)
    for samples in (elsewhere, several, untold):
        assert not samples.by_processor
        assert samples.ratio == pytest.approx(15.0)


def test_waiting_is_told_from_being_interrupted():
    assert lap(lambda: time.sleep(0.01), 3).waits >= 3
    slept = lap(lambda: time.sleep(0.05))
    assert slept.processor < 0.5 * slept.clock
    worked = [lap(lambda: busy(0.05)) for _ in range(5)]
    assert np.median([own.waits for own in worked]) == 0


def test_clips_and_reference_are_the_same_each_time():
    assert np.array_equal(clip(1.0, 8000), clip(1.0, 8000))
    assert clip(0.5, 16000).shape == (8000,)
    assert 0 < lap(Reference().run).clock < 5


def measured(serab, *words: str) -> dict:
    code, out, err = serab("bench", *words, "--lengths", "0.2,3", "--budget", "0.05", "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_whole_way(add_plugin, serab, home):
    add_plugin("serab-slow", "serab.extractors", "slow", SLOW.format(seconds=0.01))
    run = measured(serab, "slow", "--threads", "1")
    names = [own["group"] for own in run["benchmarks"]]
    assert names == ["one clip of 0.2 s", "one clip of 3 s", "2 clips of 3 s"]
    three = run["benchmarks"][1]
    assert three["stats"]["median"] == pytest.approx(0.03, rel=0.5)
    assert three["extra_info"]["realtime_factor"] == pytest.approx(0.01, rel=0.5)
    assert three["extra_info"]["threads"] == 1
    assert three["extra_info"]["weights_bytes"] == 0
    if sys.platform == "linux":
        assert three["extra_info"]["peak_bytes"] > 10e6
    (kept,) = (home.speed / "runs").glob("*.json")
    assert read_run(kept) == run
    code, out, _ = serab(
        "bench", "slow", "--lengths", "3", "--threads", "1", "--budget", "0.05", "--compare", kept.stem, "--no-save"
    )
    assert code == 0
    assert "Ratios since" in out
    assert "one clip of 3 s" in out
    assert " 1 x 3 s" in out
    assert len(list((home.speed / "runs").glob("*.json"))) == 1


def test_what_takes_longer_is_seen_by_its_ratio(add_plugin, serab):
    add_plugin("serab-slow", "serab.extractors", "slow", SLOW.format(seconds=0.01))
    add_plugin("serab-slower", "serab.extractors", "slower", SLOW.format(seconds=0.05).replace('"slow"', '"slower"'))
    run = measured(serab, "slow", "--threads", "1", "--no-save")
    again = measured(serab, "slower", "--threads", "1", "--no-save")
    for own in again["benchmarks"]:
        own["name"] = own["name"].replace("slower", "slow")
    factors = [change.factor for change in changes(run, again)]
    assert len(factors) == 3
    assert all(factor > 1.25 for factor in factors)


def test_pytest_benchmark_reads_it(add_plugin, serab, home):
    pytest.importorskip("pytest_benchmark", reason="pytest-benchmark is not installed")
    add_plugin("serab-slow", "serab.extractors", "slow", SLOW.format(seconds=0.001))
    measured(serab, "slow")
    (kept,) = (home.speed / "runs").glob("*.json")
    command = [sys.executable, "-m", "pytest_benchmark", "compare", str(kept)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "one clip of 3 s" in done.stdout


def test_what_cannot_be_measured(toys, serab, home):
    code, _, err = serab("bench", "toy-bad/boom", "--lengths", "1")
    assert code == 7
    assert "boom" in err
    code, out, err = serab("bench", "toy-bad/boom", "toy", "--lengths", "0.1", "--budget", "0.05")
    assert code == 9
    assert "1 x 0.1 s" in out  # what could be is shown, and kept
    assert "1 of 2 could not be measured: toy-bad/boom" in " ".join(err.split())
    assert len(list((home.speed / "runs").glob("*.json"))) == 1
    code, out, _ = serab("bench", "toy-bad/boom", "toy", "--lengths", "0.1", "--budget", "0.05", "--json", "--no-save")
    assert (code, [own["error"] for own in json.loads(out)["failures"]]) == (9, ["ExtractorError"])
    code, _, err = serab("bench", "toy", "nobody")
    assert (code, "Measuring" in err) == (3, False)
    for words in (("--lengths", "none"), ("--lengths", "-1"), ("--threads", "0"), ("--compare", "never")):
        assert serab("bench", "toy", *words)[0] == 2


def test_runs_are_found_by_name_version_and_file(home):
    run = {
        "schema": "serab.bench/1", "datetime": "2026-01-02T03:04:05+00:00", "version": "serab 0.1.0",
        "machine_info": {"node": "a/b c"}, "benchmarks": [{"name": "x", "extra_info": {"ratio": 2.0}}],
    }  # fmt: skip
    path = keep(home, run)
    assert path.name == "20260102T030405-0.1.0-a-b-c.json"
    assert find_run(home, "0.1.0") == find_run(home, "20260102") == find_run(home, str(path)) == Path(path)
    later = {**run, "benchmarks": [{"name": name, "extra_info": {"ratio": 3.0}} for name in ("x", "y")]}
    assert [(change.name, change.factor) for change in changes(run, later)] == [("x", 1.5)]
    assert find_run(home, "last") == path
    with pytest.raises(UsageError, match="no run is called 'none'"):
        find_run(home, "none")
    path.write_text('{"schema": "serab.bench/1"}')
    with pytest.raises(StoreError, match="lacks the field 'benchmarks'"):
        read_run(path)


def test_kept_runs_as_a_table_and_a_plot(home, serab, tmp_path):
    def kept(day: int, ratio: float, version: str = "0.1.0") -> None:
        told = {"extractor": "<x>", "threads": 1, "clips": 1, "clip_s": 3.0, "ratio": ratio}
        longer = {**told, "clip_s": 60.0, "ratio": 99.0}
        batch = {**told, "clips": 8, "ratio": 98.0}
        keep(home, {
            "schema": "serab.bench/1", "datetime": f"2026-01-0{day}T03:04:05+00:00", "version": f"serab {version}",
            "machine_info": {"node": "n", "processor": "p & q"},
            "benchmarks": [{"name": str(i), "extra_info": own} for i, own in enumerate((longer, told, batch))],
        })  # fmt: skip

    assert serab("bench", "--history")[0] == 2
    assert serab("bench")[0] == 2
    kept(1, 2.0)
    kept(2, 3.0)
    kept(3, 1.0, "0.2.0")
    (home.speed / "runs" / "zzz.json").write_text("{}")
    plot = tmp_path / "plot.svg"
    code, out, err = serab("bench", "--history", "--plot", str(plot))
    assert code == 0
    assert "zzz.json" in err
    assert [word for word in out.split() if word in ("1.00", "1.50", "0.50")] == ["1.00", "1.50", "0.50"]
    drawing = ElementTree.fromstring(plot.read_text())
    assert len(drawing.findall(".//{http://www.w3.org/2000/svg}circle")) == 3
    assert "&lt;x&gt;" in plot.read_text()
    moments = json.loads(serab("bench", "<x>", "--history", "--json")[1])["moments"]
    assert [(one["version"], one["ratio"]) for one in moments] == [("0.1.0", 2.0), ("0.1.0", 3.0), ("0.2.0", 1.0)]
    assert serab("bench", "other", "--history")[0] == 2
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    assert serab("bench", "--history", "--plot", str(tmp_path / "plot.png"))[0] == 0
    assert (tmp_path / "plot.png").read_bytes()[:4] == b"\x89PNG"
