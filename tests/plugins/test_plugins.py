"""How an extractor is named: with options, by a word that its plugin understands, by a folder."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from serab_core import names, plugins
from serab_core.embed.corpus import known_state
from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.errors import PluginError, SerabError, UnknownNameError, UsageError
from serab_core.plugins.entry_points import Group
from serab_core.store.weights import import_weights
from tests.conftest import install


@pytest.fixture
def weights(toys, home, tmp_path):
    from serab_toys import heavy

    home.ensure()
    file = tmp_path / "heavy.pth"
    file.write_bytes(b"gain 2.0")
    import_weights(home, heavy.PLAIN, file, "here")
    return file


def test_options_make_another_extractor(weights):
    plain, shifted = plugins.extractor("heavy"), plugins.extractor("heavy+shift=1.5")
    assert shifted.name == "heavy+shift=1.5"
    assert shifted.parameters == {"offset": 1.5}
    assert fingerprint_digest(plain) != fingerprint_digest(shifted)
    assert plugins.extractor("heavy+shift=1.5+known").name == plugins.extractor("heavy+known+shift=1.5").name


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("heavy+loud", UnknownNameError, "has no option 'loud'.*shift: adds a number"),
        ("toy+loud", UnknownNameError, "it has no options"),
        ("heavy+shift=a", UsageError, "could not convert"),
        ("heavy+shift=1+shift=2", UsageError, "given twice"),
        ("heavy:nothing", UsageError, "nothing comes of nothing"),
        ("heavy:wrong", PluginError, "returned int for 'wrong'"),
        ("heavy:boom", PluginError, "RuntimeError: boom"),
        ("toy:word", PluginError, "does not implement the hook serab_make_extractor"),
        ("./nowhere", UsageError, "does not exist"),
    ],
)
def test_what_does_not_fit_is_told(toys, name, error, words):
    with pytest.raises(error, match=words):
        plugins.extractor(name)


def test_a_word_and_a_folder(toys, tmp_path, monkeypatch):
    assert plugins.extractor("heavy:word").name == "heavy:word"
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(UsageError, match="is not an extractor: serab-extractor.json is missing"):
        plugins.extractor(str(folder))
    described = folder / names.FOLDER_FILE
    described.write_text(json.dumps({"schema": names.FOLDER_SCHEMA, "entry": "heavy"}))
    assert plugins.extractor(str(folder)).name == "mine"
    monkeypatch.chdir(tmp_path)
    assert plugins.extractor("./mine").name == plugins.extractor("mine").name == "mine"
    described.write_text(json.dumps({"schema": "other/1", "entry": "heavy"}))
    with pytest.raises(UsageError, match="has schema 'other/1'"):
        plugins.extractor("./mine")
    described.write_text("{")
    with pytest.raises(UsageError, match=r"serab-extractor\.json is not JSON"):
        plugins.extractor("./mine")


def test_known_statistics(toys):
    assert known_state(plugins.extractor("heavy"), "tones") is None
    known = plugins.extractor("heavy+known")
    assert known_state(known, "tones") == {"mean": 0.25}
    with pytest.raises(UsageError, match=r"heavy\+known on hums: nobody has published"):
        known_state(known, "hums")


def test_it_evaluates_from_end_to_end(weights, prepared_tones, serab):
    code, out, err = serab("eval", "heavy", "heavy+known", "--tasks", "tones", "-c", "knn", "--json", "--jobs", "2")
    assert code == 0, err
    results = json.loads(out)["results"]
    assert [r["extractor"] for r in results] == ["heavy", "heavy+known"]
    documents = [json.loads(Path(r["file"]).read_text()) for r in results]
    states = [document["provenance"]["corpus_state"] for document in documents]
    assert states[1] == {"mean": 0.25} != states[0]
    code, _, err = serab("eval", "heavy/strict", "--tasks", "tones")
    assert code == 10
    assert "its weights are missing: strict.pth" in err


def test_options_for_all_that_have_them(toys):
    assert plugins.add_options(["toy", "heavy"], {"layer": None}) == ["toy", "heavy"]
    option = next(iter(plugins.extractor("heavy").options))
    assert plugins.add_options(["toy", "heavy"], {option: "3"}) == ["toy", f"heavy+{option}=3"]
    with pytest.raises(UsageError, match="none of toy has the option layer"):
        plugins.add_options(["toy"], {"layer": "best"})


def test_a_folder_in_the_home_of_nobody():
    with pytest.raises(UnknownNameError, match="home of an unknown user"):
        plugins.extractor("~nobody-is-called-so/x")


def test_a_folder_called_like_an_extractor_is_meant_only_as_a_path(toys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    elsewhere = SimpleNamespace(offers=lambda group, entry: entry == "away")  # the catalog has it, nothing is installed
    monkeypatch.setattr(plugins, "read_catalog", lambda: [elsewhere])
    for name in ("toy", "away"):
        (tmp_path / name).mkdir()
        described = {"schema": names.FOLDER_SCHEMA, "entry": "heavy"}
        (tmp_path / name / names.FOLDER_FILE).write_text(json.dumps(described))
    assert plugins.extractor("toy").code["distribution"] == "serab-toys"
    assert plugins.extractor("toy").dim != plugins.extractor("./toy").dim
    with pytest.raises(UnknownNameError, match="away"):
        plugins.extractor("away")
    assert plugins.extractor("./away").name == "away"


@pytest.mark.parametrize("length", [300, 5_000])
def test_a_name_longer_than_the_file_system_allows(toys, serab, length):
    name = "x" * length
    for words in (
        ("eval", name), ("check", name), ("bench", name), ("fairness", name), ("compare", name, "toy"),
        ("data", "show", name), ("data", "verify", name), ("data", "prepare", name), ("plugins", "isolate", name),
        ("weights", "import", name, "x.pt"), ("weights", "import", "heavy", name), ("export", name, "--task", name),
    ):  # fmt: skip
        code, _, err = serab(*words)
        assert code in (2, 3, 4, 5, 6, 10, 12), (words[:2], err)
        assert "bug in serab" not in err


def test_entry_points_of_one_module_have_one_code_and_different_keys(site):
    (site / "p_pair.py").write_text(
        "from serab_core.plugin import ExtractorSpec, hookimpl\n"
        "@hookimpl\n"
        "def serab_register_extractors(register):\n"
        "    for name in ('left', 'right'):\n"
        "        register(ExtractorSpec(name=name, factory=dict, dim=1, summary='', licence='', citation=''))\n"
    )
    install(site, "p-pair", "0.1", "[serab.extractors]\nleft = p_pair\nright = p_pair\n")
    left, right = plugins.extractor("left"), plugins.extractor("right")
    assert (left.name, right.name) == ("left", "right")
    assert left.code == right.code
    assert left.code["digest"]
    assert fingerprint_digest(left) != fingerprint_digest(right)


@pytest.mark.parametrize(
    ("call", "exit_code"),
    [
        (lambda registry: registry.record(Group.EXTRACTORS, "nowhere"), 3),
        (lambda registry: registry.get(Group.EXTRACTORS, "bad"), 4),
        (lambda registry: registry.load(Group.EXTRACTORS, "bad"), 4),
        (lambda registry: registry.make(Group.EXTRACTORS, "bad", "word", UsageError), 4),
        (lambda registry: registry.call(Group.EXTRACTORS, "bad", register=print), 4),
    ],
)
def test_errors_of_the_registry_are_errors_of_serab(add_plugin, call, exit_code):
    add_plugin("p-bad", "serab.extractors", "bad", "raise ValueError('no')")
    with pytest.raises(SerabError) as caught:
        call(plugins.registry())
    assert caught.value.exit_code == exit_code
    assert caught.value.next_step
