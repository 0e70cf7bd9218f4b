"""Evaluation under other seeds: separate results, reused studies, and the range of the reported score."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import serab
from serab_core import plugins
from serab_core.data.protocols import find_protocol, split_seed, with_seed
from serab_core.engine.executors import LocalEngine
from serab_core.errors import UsageError
from serab_core.results.stored import with_stored_seeds
from serab_core.run.evaluate import evaluate
from serab_core.run.plan import make_plan
from serab_core.run.seeds import evaluate_seeds, protocol_with_seed, require_seeds
from serab_core.score.seeds import SeedRange, seed_summary

DICE = '''
import numpy as np
from serab_core import ClassifierSpec, estimator_workspace, hookimpl


class Dice:
    """Its accuracy depends on the seed alone."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X, y):
        self.labels = np.unique(y)
        return self

    def predict(self, X):
        return np.random.RandomState(self.seed).choice(self.labels, len(X))


@hookimpl
def serab_register_classifiers(register):
    prepare = estimator_workspace(lambda params, seed: Dice(seed + params["side"] if {uses_seed} else 0))
    register(ClassifierSpec(name="{name}", title="{name}", search_space={{"side": (1, 2)}}, prepare=prepare,
                            uses_seed={uses_seed}))
'''


@pytest.fixture
def dice(add_plugin, toys, request):
    """Two classifiers of random guesses: `dice` uses the seed, `loaded` does not. The toy corpus is prepared."""
    for name, uses_seed in (("dice", True), ("loaded", False)):
        add_plugin(f"serab-{name}", "serab.classifiers", name, DICE.format(name=name, uses_seed=uses_seed))
    request.getfixturevalue("prepared_tones")


def plan_of(home, protocol="serab", classifiers=("dice", "loaded"), tasks=("tones",)):
    return make_plan(home, ["toy"], list(tasks), find_protocol(protocol), list(classifiers))


def test_names_of_protocols_state_the_seed():
    assert find_protocol("serab+seed=43").seed == 43
    assert find_protocol("serab+seed=43").name == "serab+seed=43"
    assert (
        find_protocol("serab+seed=42") is find_protocol("serab+seed=42")
        or find_protocol("serab+seed=42").name == "serab"
    )
    assert find_protocol("serab+seed=42") == find_protocol("serab")
    assert find_protocol("loso+seed=7+k=2").name == "loso+k=2+seed=7"
    assert with_seed(find_protocol("loso+k=2+seed=7"), 42) == find_protocol("loso+k=2")
    assert split_seed("serab+seed=x") == ("serab+seed=x", 42)
    for name in ("serab+seed=", "serab+seed=-1", "serab+seed=1e3", "serab+seed=9999999999", "serab+k=2"):
        with pytest.raises(UsageError):
            find_protocol(name)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: protocol_with_seed(find_protocol("serab+seed=43"), 44), "has another seed than"),
        (lambda: protocol_with_seed(find_protocol("serab"), -1), "seed=-1 is not possible"),
        (lambda: require_seeds(5, find_protocol("serab+seed=43")), "several seeds begin with 42"),
        (lambda: require_seeds(0, find_protocol("serab")), "0 seeds are not possible"),
        (lambda: require_seeds(5, find_protocol("serab"), fresh=True), "deletes stored work of one seed only"),
    ],
)
def test_impossible_seeds_are_refused(call, error):
    with pytest.raises(UsageError, match=error):
        call()


def test_only_studies_that_depend_on_the_seed_are_new(dice, home, quiet):
    first = evaluate(plan_of(home), quiet, LocalEngine(1))
    before = {path.name for path in home.studies.glob("*.json")}
    second = evaluate(plan_of(home, "serab+seed=43"), quiet, LocalEngine(1))
    after = {path.name for path in home.studies.glob("*.json")}
    (one,), (other,) = first.results, second.results
    assert len(after - before) == 1
    assert other.protocol == "serab+seed=43"
    assert other.key != one.key
    assert one.outcome("loaded") == other.outcome("loaded")
    assert one.outcome("dice").test.predicted != other.outcome("dice").test.predicted
    assert other.provenance["seeds"]["classifiers"] == 43
    assert evaluate(plan_of(home, "serab+seed=43"), quiet, LocalEngine(1)).reused == {other.key}


def test_the_search_by_tpe_depends_on_the_seed(dice, home, quiet):
    from serab_core.data.protocols import with_tuner
    from serab_core.run.identity import depends_on_seed

    spec = plugins.classifier("loaded")
    assert not depends_on_seed(spec, find_protocol("serab"))
    assert depends_on_seed(spec, with_tuner(find_protocol("serab"), "tpe", 4))


def test_the_range_over_seeds(dice, home, quiet):
    plan = plan_of(home)
    run = evaluate_seeds(plan, evaluate(plan, quiet, LocalEngine(1)), 5, quiet, LocalEngine(1))
    (result,) = run.results
    assert [split_seed(other.protocol) for other in run.seeds] == [("serab", seed) for seed in (43, 44, 45, 46)]
    summary = seed_summary(result, run.seeds)
    values = [other.scores["accuracy"] for other in (result, *run.seeds)]
    assert [score.scores["accuracy"] for score in summary.scores] == values
    assert summary.ranges["accuracy"] == SeedRange(min(values), max(values))
    assert np.ptp(values) > 0
    assert with_stored_seeds(home, replace(run, seeds=())).seeds == run.seeds
    again = evaluate_seeds(plan, run, 5, quiet, LocalEngine(1))  # reuses all of them
    assert [other.key for other in again.seeds] == [other.key for other in run.seeds]


def test_a_counterpart_with_other_classifiers_or_data_does_not_count(dice, home, quiet):
    (result,) = evaluate(plan_of(home), quiet, LocalEngine(1)).results
    (other,) = evaluate(plan_of(home, "serab+seed=43"), quiet, LocalEngine(1)).results
    (narrow,) = evaluate(plan_of(home, "serab+seed=44", ["dice"]), quiet, LocalEngine(1)).results
    assert [score.seed for score in seed_summary(result, [other, narrow]).scores] == [42, 43]
    assert seed_summary(result, [narrow]) is None
    assert seed_summary(result, [replace(other, provenance={**other.provenance, "dataset": {}})]) is None
    assert seed_summary(other, [result]) is None


def test_without_a_classifier_that_uses_the_seed_nothing_is_computed(dice, home, quiet):
    plan = plan_of(home, classifiers=["loaded"])
    run = evaluate_seeds(plan, evaluate(plan, quiet, LocalEngine(1)), 3, quiet, LocalEngine(1))
    assert run.seeds == ()
    assert run.notices[-1] == "The same under every seed, because no classifier depends on it: toy on tones."


def test_the_command_shows_the_range(dice, serab):
    command = ("eval", "toy", "--tasks", "tones", "--classifiers", "dice,loaded")
    code, out, err = serab(*command, "--seeds", "3", "--json")
    assert code == 0, err
    (result,) = json.loads(out)["results"]
    assert [score["seed"] for score in result["seeds"]["scores"]] == [42, 43, 44]
    reach = result["seeds"]["ranges"]["accuracy"]
    assert reach["low"] <= result["accuracy"] <= reach["high"]
    text = " ".join(serab(*command, "--details")[1].split())  # finds the stored ones
    assert re.search(r"Seeds, toy on tones: accuracy [\d.]+ \([\d.]+ to [\d.]+ over 3 seeds\), UAR", text)
    code, out, _ = serab(*command, "--seed", "43", "--json")
    document = json.loads(out)
    assert document["protocol"]["name"] == document["results"][0]["protocol"] == "serab+seed=43"
    assert document["results"][0]["reused"]
    assert document["results"][0]["seeds"] is None
    assert serab(*command, "--seed", "43", "--seeds", "3")[0] == 2
    assert serab("leaderboard", "--protocol", "serab+seed=43")[0] == 0
    assert "serab+seed=43" not in serab("leaderboard")[1]
    card = " ".join(serab("results", "card", "toy")[1].split())
    assert "- Seeds on tones: accuracy" in card
    (path,) = {r["file"] for r in document["results"]}
    code, out, err = serab("eval", "--reproduce", path)
    assert code == 0, err


def test_python_has_the_range(dice, home):
    run = serab.evaluate("toy", "tones", classifiers=["dice", "loaded"], seeds=2, progress=False)
    seeds = run["toy", "tones"].seeds
    assert [score.seed for score in seeds.scores] == [42, 43]
    loaded = serab.load_results(home.root, protocol="serab")["toy", "tones"]
    assert loaded.seeds == seeds
    other = serab.evaluate("toy", "tones", classifiers=["dice", "loaded"], seed=43, progress=False)["toy", "tones"]
    assert (other.protocol, other.accuracy) == ("serab+seed=43", seeds.scores[1].scores["accuracy"])


def test_an_object_without_a_key_has_the_range_too(dice):
    class Loudness:
        sample_rate = 16_000

        def embed(self, waveforms):
            return np.array([[w.std(), np.abs(w).max()] for w in waveforms])

    run = serab.evaluate(Loudness(), "tones", classifiers=["dice"], seeds=2, progress=False)
    assert len(run[0].seeds.scores) == 2


def test_folds_have_other_seeds_too(dice, home, quiet):
    plan = plan_of(home, "loso", ["dice"])
    run = evaluate_seeds(plan, evaluate(plan, quiet, LocalEngine(1)), 2, quiet, LocalEngine(1))
    (other,) = run.seeds
    assert other.protocol == "loso+seed=43"
    assert [score.seed for score in seed_summary(run.results[0], run.seeds).scores] == [42, 43]
