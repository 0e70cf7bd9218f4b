"""The tripwire over serab's own speed: what became slower is found, what did not is left alone."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest

WATCH = Path(__file__).parents[2] / "benchmarks" / "watch"


@pytest.fixture(scope="module")
def watch():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    spec = importlib.util.spec_from_file_location("serab_watch", WATCH / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["serab_watch"] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(WATCH))
    for name in ("serab_watch", "contests"):
        sys.modules.pop(name)


def test_a_sleep_in_a_kernel_trips_it(watch, monkeypatch, tmp_path, capsys):
    from serab_core.audio.mel import compute

    words = ["log-mels", "--stored", str(tmp_path / "ratios.json")]
    monkeypatch.setattr(watch, "BUDGET_S", 0.4)
    monkeypatch.setattr(watch, "read_afresh", watch.read)  # the sleep is in this process
    assert watch.main([*words, "--update"]) == 0
    assert "stored" in capsys.readouterr().out
    real = compute._log_mels

    def slowed(*arguments):
        begin = time.perf_counter()
        made = real(*arguments)
        time.sleep(2 * (time.perf_counter() - begin))
        return made

    monkeypatch.setattr(compute, "_log_mels", slowed)
    assert watch.main(words) == 1
    assert "SLOWER in 3 of 3 runs" in capsys.readouterr().out
    assert watch.main([*words, "--lenient"]) == 0


@pytest.mark.parametrize(
    ("ratios", "spread", "verdict", "runs"),
    [
        ([1.0], 0.1, "same", 1),
        ([1.3, 1.2], 0.1, "same", 2),
        ([1.3, 1.4, 1.26], 0.05, "slower", 3),
        ([1.3, 1.4, 1.26], 0.5, "unclear", 3),
        ([0.1], 0.1, "same", 1),
    ],
)
def test_verdicts(watch, monkeypatch, ratios, spread, verdict, runs):
    readings = iter(ratios)
    for name in ("read", "read_afresh"):
        monkeypatch.setattr(watch, name, lambda contest: watch.Reading(next(readings), spread))
    told, taken = watch.judge(None, 1.0)
    assert (told, len(taken)) == (verdict, runs)


def test_another_processors_ratios_judge_nothing(watch, monkeypatch, tmp_path, capsys):
    stored = tmp_path / "ratios.json"
    stored.write_text('{"another": {"log-mels": 0.001}}')
    monkeypatch.setattr(watch, "read", lambda contest: watch.Reading(1.0, 0.1))
    assert watch.main(["log-mels", "--stored", str(stored)]) == 0
    assert "not compared" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        watch.main(["nobody"])


def test_a_reading_in_a_process_of_its_own(watch):
    (contest,) = (own for own in watch.CONTESTS if own.name == "documents")
    afresh, here = watch.read_afresh(contest), watch.read(contest)
    assert afresh.ratio == pytest.approx(here.ratio, rel=0.5)
