"""`serab.evaluate` with names and objects: nothing of an object is stored without a key, and no number is stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import serab
from serab_core.errors import ExtractorError, UnknownNameError, UsageError
from serab_core.types import ExtractorSpec

SEARCH = {"tasks": "tones", "classifiers": "knn", "progress": False}


class Model:
    """An extractor as users write it in a notebook."""

    sample_rate = 16_000

    def __init__(self, power: float = 1.0, name: str = "") -> None:
        self.calls, self.power = 0, power
        if name:
            self.name = name

    def embed(self, waveforms):
        self.calls += 1
        rows = [[len(w) / 16_000, np.abs(np.diff(w)).mean(), w.std()] for w in waveforms]
        return np.array(rows) ** self.power  # float64, which becomes float32


class Constant(Model):
    def embed(self, waveforms):
        self.calls += 1
        return np.ones((len(waveforms), 3))


@pytest.fixture
def stored(prepared_tones, home):
    """How many embeddings, studies and results the home holds."""
    rooms = (home.embeddings, home.studies, home.results)
    return lambda: sum(path.is_file() for room in rooms for path in room.rglob("*"))


def test_names_and_objects_in_the_order_of_the_call(prepared_tones, home):
    run = serab.evaluate([Model(), "toy", Constant()], **SEARCH)
    assert [own.extractor for own in run] == ["Model", "toy", "Constant"]
    assert len(run) == 3
    assert run["toy"] is run["toy", "tones"] is run[1]
    assert run["Model", "tones"].uar > run["Constant", "tones"].uar
    again = serab.evaluate("toy", **SEARCH)
    assert again["toy"].reused
    assert again["toy"].stored == run["toy"].stored


def test_an_object_without_a_key_leaves_nothing(stored):
    before = stored()
    run = serab.evaluate(Model(), **SEARCH)
    assert stored() == before
    assert "nothing of it was stored" in " ".join(run.notices)
    assert "nothing of it was stored" in repr(run)
    assert not run["Model"].reused


def test_two_objects_of_one_class_are_two_extractors(prepared_tones):
    """Their specs are equal in all that can be seen; nothing that was computed for the first may serve the second."""
    first = serab.evaluate(Model(name="m"), **SEARCH)["m"]
    second = serab.evaluate(Constant(name="m"), **SEARCH)["m"]
    assert first.uar > second.uar
    assert second.uar == pytest.approx(1 / len(second.per_class), abs=0.2)
    both = serab.evaluate({"a": Model(), "b": Constant()}, **SEARCH)
    assert (both["a"].uar, both["b"].uar) == (first.uar, second.uar)


def test_a_key_is_a_promise_of_the_caller(stored):
    model = Model()
    first = serab.evaluate(model, cache_key="epoch-1", **SEARCH)
    calls, before = model.calls, stored()
    again = serab.evaluate(model, cache_key="epoch-1", **SEARCH)
    assert again["Model"].reused
    assert model.calls == calls + 1  # the clip that tells the dimension
    assert again["Model"].uar == first["Model"].uar
    other = serab.evaluate(Constant(name="Model"), cache_key="epoch-2", **SEARCH)
    assert not other["Model"].reused
    assert other["Model"].uar < first["Model"].uar
    assert stored() > before
    assert {own.extractor for own in serab.load_results()} == {"Model"}
    fresh = serab.evaluate(model, cache_key="epoch-1", fresh=True, **SEARCH)
    assert not fresh["Model"].reused
    assert fresh["Model"].uar == first["Model"].uar


def test_keys_of_several_objects(prepared_tones):
    models = {"a": Model(), "b": Constant()}
    run = serab.evaluate(models, cache_key={"a": "1", "b": "1"}, **SEARCH)
    again = serab.evaluate(models, cache_key={"a": "1"}, **SEARCH)
    assert (again["a"].reused, again["b"].reused) == (True, False)
    assert again["b"].uar == run["b"].uar
    with pytest.raises(UsageError, match="one cache_key was given for 2 objects"):
        serab.evaluate(models, cache_key="1", **SEARCH)
    with pytest.raises(UsageError, match="cache_key names c"):
        serab.evaluate(models, cache_key={"c": "1"}, **SEARCH)


def test_a_spec_is_an_extractor(prepared_tones):
    class Single(Model):
        def embed(self, waveforms):
            return super().embed(waveforms).astype(np.float32)

    spec = ExtractorSpec("mine", Single, 3, "a spec", "MIT", sample_rate=8_000)
    run = serab.evaluate([spec], **SEARCH)
    assert run["mine"].extractor == "mine"
    assert run["mine"].provenance["fingerprint"]["sample_rate"] == 8_000


def test_a_tensor_is_an_array(prepared_tones):
    torch = pytest.importorskip("torch")

    class Net(Model):
        def embed(self, waveforms):
            return torch.tensor(super().embed(waveforms), requires_grad=True).to(torch.bfloat16)

    assert serab.evaluate(Net(), **SEARCH)["Net"].uar > 0.3


def test_several_processes(prepared_tones, home):
    run = serab.evaluate(["toy", Model()], jobs=2, **SEARCH)
    assert [own.extractor for own in run] == ["toy", "Model"]


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (object(), UsageError, "has no method embed"),
        (type("X", (), {"embed": lambda self, w: w})(), UsageError, "does not state its sampling rate"),
        (["toy", "toy"], UsageError, "two extractors are called 'toy'"),
        ([Model(), Model()], UsageError, "two extractors are called 'Model'"),
        ({"toy": Model()}, UsageError, "an installed extractor has the same name 'toy'"),
        ({"mine": "toy"}, UsageError, "cannot be an alias of 'toy'"),
        ([], UsageError, "no extractor is named"),
        ("toyy", UnknownNameError, "toyy"),
        (Model(), None, ""),
    ],
)
def test_what_is_no_extractor(prepared_tones, item, error, words):
    if error is None:
        serab.evaluate(item, **SEARCH)
        return
    with pytest.raises(error, match=words):
        serab.evaluate(item, **SEARCH)


@pytest.mark.parametrize("rows", [lambda w: [1.0, 2.0], lambda w: np.ones((len(w) + 1, 2)), lambda w: "words"])
def test_what_is_no_embedding(prepared_tones, rows):
    odd = Model()
    odd.embed = rows
    with pytest.raises(ExtractorError, match="Model: embed returned"):
        serab.evaluate(odd, **SEARCH)


def test_a_failure_is_raised_and_the_rest_is_there(prepared_tones):
    class Late(Model):
        def embed(self, waveforms):
            if self.calls:
                raise RuntimeError("out of luck")
            return super().embed(waveforms)

    with pytest.raises(serab.EvaluationError, match="out of luck") as found:
        serab.evaluate(["toy", Late()], **SEARCH)
    assert "check the object Late" in str(found.value)
    run = found.value.run
    assert [own.extractor for own in run] == ["toy"]
    with pytest.raises(KeyError, match="out of luck"):
        run["Late", "tones"]
    returned = serab.evaluate(Late(), raise_errors=False, **SEARCH)
    assert len(returned) == 0
    assert "out of luck" in repr(returned)
    assert returned.failures[0].extractor == "Late"


def test_numbers_that_change_are_refused(prepared_tones):
    class Random(Model):
        def embed(self, waveforms):
            return np.random.default_rng().normal(size=(len(waveforms), 3))

    with pytest.raises(serab.EvaluationError, match="gives other numbers when it embeds the same audio again"):
        serab.evaluate(Random(), **SEARCH)


def test_another_home(prepared_tones, home, tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "unused"))
    run = serab.evaluate("toy", home=home.root, **SEARCH)
    assert not (tmp_path / "unused").exists()
    assert len(serab.load_results()) == 0
    assert serab.load_results(home.root)["toy"].uar == run["toy"].uar
    assert serab.load_results(home.root).leaderboard().extractors == ["toy"]
    assert run.leaderboard().extractors == ["toy"]


SCRIPT = """
import numpy as np
import serab

class Model:
    sample_rate = 16000
    def embed(self, waveforms):
        return np.array([[w.std(), len(w)] for w in waveforms])

run = serab.evaluate([Model(), "toy"], tasks=["tones"], classifiers=["knn"], jobs={jobs})
print(len(run), run["toy", "tones"].accuracy > 0)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_script_without_a_guard(prepared_tones, tmp_path, jobs):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(jobs=jobs))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "True"]
    assert "Embedding utterances" in done.stderr


def test_serab_itself_is_found():
    assert Path(serab.__file__).name == "__init__.py"


def test_fresh_numbers_come_from_fresh_embeddings(prepared_tones):
    """In one process, under one key: features that an earlier call left in memory are not those of the new model."""
    first = serab.evaluate({"mine": Model()}, cache_key="k", **SEARCH)
    second = serab.evaluate({"mine": Constant()}, cache_key="k", fresh=True, **SEARCH)
    assert first["mine", "tones"].accuracy > second["mine", "tones"].accuracy
