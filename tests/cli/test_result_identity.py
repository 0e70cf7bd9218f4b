"""A row is one version of an extractor, a column one preparation of a task; what is stored stops no command."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serab_core.data.protocols import SUITE
from serab_core.errors import ContentError, SerabError, UsageError
from serab_core.report.board import board_document, load_leaderboard
from serab_core.report.comparisons import compare_document
from serab_core.report.fairness import fairness_document
from serab_core.report.html.page import report_page
from serab_core.report.optimism import optimism_document
from serab_core.report.subset_bias import bias_document
from serab_core.score.board import make_board
from serab_core.score.compare import compare
from serab_core.score.outcome import scores_of
from serab_core.store.identity import DataIdentity, Version, make_catalogue
from serab_core.store.results import RESULT_SCHEMA, read_result, result_document, result_path, write_result
from serab_core.types import ClassifierOutcome, Point, Predictions, TaskResult

READERS = (
    ("leaderboard",),
    ("leaderboard", "--json"),
    ("compare", "first", "second"),
    ("bias",),
    ("optimism",),
    ("fairness", "first"),
    ("fairness", "second"),
    ("results", "ls"),
)
PLUGIN = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl
SERAB_API_VERSION = 1

class Model:
    def embed(self, waveforms):
        return np.array([[w.mean(), w.std(), np.abs(np.diff(w)).mean(), {shift}] for w in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec(name="shifty", factory=Model, dim=4, summary="x", licence="MIT", citation="c",
                           version="{version}"))
"""


@pytest.fixture
def store(home):
    """`store(result, fingerprint={...}, dataset={...})` writes a result with these parts of its provenance."""
    count = 0

    def write(result, *, fingerprint=None, dataset=None, protocol=None, **changes):
        nonlocal count
        count += 1
        provenance = dict(result.provenance)
        for name, more in (("fingerprint", fingerprint), ("dataset", dataset), ("protocol", protocol)):
            provenance[name] = {**provenance[name], **(more or {})}
        name = f"{result.extractor} {result.task} {provenance['fingerprint']} {provenance['dataset']} {changes}"
        result = replace(result, **{"provenance": provenance, "key": sha256(name.encode()).hexdigest(), **changes})
        path = result_path(home.ensure(), result.extractor, result.task, result.protocol, result.key)
        write_result(path, result)
        os.utime(path, (1e9 + count, 1e9 + count))
        return path

    return write


def board_of(serab, *arguments):
    code, out, err = serab("leaderboard", *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def flat(text):
    return " ".join(text.split())


# --- rows: versions of an extractor ---


def test_two_versions_of_a_name_are_two_rows(serab, store, make_result):
    for task in ("emodb", "savee"):
        store(make_result("x", task, 0.9), fingerprint={"version": "1"})
        store(make_result("other", task, 0.5, seed=1))
    store(make_result("x", "emodb", 0.6, seed=2), fingerprint={"version": "2"})
    document = board_of(serab)
    rows = [row for row in document["rows"] if row["name"] == "x"]
    assert [(row["current"], sorted(row["scores"])) for row in rows] == [(True, ["emodb"]), (False, ["emodb", "savee"])]
    new, old = rows
    assert new["fingerprint"] != old["fingerprint"]
    assert new["accuracy"]["UM"]["value"] == new["scores"]["emodb"]["accuracy"]
    assert (new["extractor"], old["extractor"]) == tuple(f"x ({row['fingerprint'][:8]})" for row in rows)
    assert old["group"] is None
    assert {pair[side] for pair in document["comparisons"] for side in ("first", "second")}.isdisjoint(
        {old["extractor"]}
    )
    out = flat(serab("leaderboard")[1])
    assert f"x ({new['fingerprint'][:8]}, newest)" in out
    assert f"{old['fingerprint'][:8]} (version 1, differs in version, not ranked)" in out
    code, out, _ = serab("compare", "x", old["extractor"], "--json")
    assert code == 0
    assert list(json.loads(out)["tasks"]) == ["emodb"]
    assert json.loads(serab("fairness", "x", "--json")[1])["extractor"] == new["extractor"]
    assert serab("results", "card", "x")[0] == 0
    assert len(board_of(serab, old["extractor"])["rows"]) == 1


def test_the_installed_version_comes_first_though_another_one_is_newer(prepared_tones, serab, add_plugin, home, site):
    command = ("eval", "shifty", "--tasks", "tones", "--classifiers", "centroid", "--jobs", "1")
    add_plugin("shifty-plugin", "serab.extractors", "shifty", PLUGIN.format(shift=0.0, version="1"))
    assert serab(*command)[0] == 0
    module = site / "shifty_plugin_shifty.py"
    first = module.read_text()
    module.write_text(PLUGIN.format(shift=1.0, version="2.5"))  # another size, so that no bytecode is reused
    sys.modules.pop(module.stem)
    assert serab(*command)[0] == 0
    sys.modules.pop(module.stem)
    module.write_text(first)
    rows = board_of(serab)["rows"]
    assert [row["installed"] for row in rows] == [True, False]
    assert [row["current"] for row in rows] == [True, False]
    assert ", installed)" in serab("leaderboard")[1]
    sys.modules.pop(module.stem)
    module.write_text(PLUGIN.format(shift=2.0, version="3.75"))
    out = flat(serab("leaderboard")[1])
    assert "shifty: the installed version differs from the scored version in code, version:" in out
    assert "`serab eval shifty` scores the installed version" in out


def test_a_result_of_a_friend_joins_the_row_of_its_fingerprint(serab, store, make_result, tmp_path, monkeypatch):
    store(make_result("x", "savee", 0.7), fingerprint={"version": "1"})
    store(make_result("x", "cafe", 0.7), fingerprint={"version": "2"})
    file = tmp_path / "friend.json"
    assert serab("results", "export", str(file))[0] == 0
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "mine"))
    from serab_core.store.home import Home

    mine = make_result("x", "emodb", 0.8)
    fingerprint = {**mine.provenance["fingerprint"], "version": "1"}
    mine = replace(mine, key="a" * 64, provenance={**mine.provenance, "fingerprint": fingerprint})
    path = result_path(Home(tmp_path / "mine").ensure(), "x", "emodb", "serab", mine.key)
    write_result(path, mine)
    assert serab("results", "import", str(file))[0] == 0
    rows = board_of(serab)["rows"]
    assert [sorted(row["scores"]) for row in rows] == [["emodb", "savee"], ["cafe"]]
    assert rows[0]["scores"]["savee"]["imported"]
    assert [row["current"] for row in rows] == [True, False]  # the version that was scored here


# --- columns: preparations of a task ---


@pytest.fixture
def two_preparations(store, make_result):
    """Two extractors on one preparation of emodb, two on another one; all of them on savee."""
    for name, right, speakers, digest in (
        ("first", 0.9, 8, "1"),
        ("second", 0.7, 6, "2"),
        ("third", 0.6, 8, "1"),
        ("fourth", 0.5, 8, "1"),
    ):
        store(make_result(name, "emodb", right, speakers=speakers), dataset={"digest": digest * 64})
        store(make_result(name, "savee", right))


@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_two_preparations_of_a_task_stop_no_command(two_preparations, serab, arguments, tmp_path):
    code, out, err = serab(*arguments)
    assert code == 0, err
    assert "‡" in out or arguments[0] in ("bias", "compare", "results") or arguments[-1] in ("--json", "first")
    assert serab("report", "-o", str(tmp_path / "r.html"), "--figures", str(tmp_path / "figures"))[0] == 0
    assert "On other data: in no mean, not ranked" in (tmp_path / "r.html").read_text()


def test_scores_on_other_data_are_in_no_mean(two_preparations, serab):
    document = board_of(serab)
    rows = {row["extractor"]: row for row in document["rows"]}
    assert sorted(rows["second"]["scores"]) == ["savee"]
    assert rows["second"]["accuracy"]["UM"]["value"] == rows["second"]["scores"]["savee"]["accuracy"]
    assert rows["second"]["group"] is None
    (other,) = document["other_data"]
    assert (other["extractor"], other["task"], other["dataset_digest"]) == ("second", "emodb", "2" * 64)
    assert "emodb: its column holds scores on the data that most results are on (digest 11111111)" in flat(
        serab("leaderboard")[1]
    )
    comparison = json.loads(serab("compare", "first", "second", "--json")[1])
    assert list(comparison["tasks"]) == ["savee"]
    assert "Not compared: emodb." in comparison["notices"][0]
    gains = json.loads(serab("optimism", "--json")[1])["rows"]
    assert [row["enters"] for row in gains if row["extractor"] == "second"] == [True, False]


def test_extractors_without_a_score_on_any_column(store, make_result, serab, tmp_path):
    for name, digest in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "2"), ("e", "1")):
        store(make_result(name, "emodb", 0.8, seed=ord(name)), dataset={"digest": digest * 64})
    assert serab("leaderboard", "c", "d")[0] == 0
    code, out, _ = serab("compare", "c", "d", "--json")
    assert (code, list(json.loads(out)["tasks"]), json.loads(out)["overall"]) == (0, ["emodb"], None)
    assert serab("fairness", "c")[0] == 0
    assert serab("optimism", "c")[0] == 0
    assert serab("report", "c", "-o", str(tmp_path / "r.html"))[0] == 0
    code, _, err = serab("compare", "a", "c")
    assert (code, "not tested on the same utterances" in flat(err)) == (2, True)
    code, _, err = serab("results", "card", "c")
    assert (code, "is on other data than the scores of its column" in flat(err)) == (2, True)


@pytest.mark.parametrize("change", ["digest", "audio_digest", "utterances", "labels", "order"])
def test_every_difference_of_the_data_tells_columns_apart(store, make_result, serab, change):
    known = {"digest": "1" * 64, "audio_digest": "2" * 64}
    for name in ("first", "third"):
        store(make_result(name, "emodb", 0.8, seed=len(name)), dataset=known)
    result = make_result("second", "emodb", 0.8, seed=7)
    dataset, (only,) = dict(known), result.outcomes
    ids, truth, predicted = only.test.ids, only.test.truth, only.test.predicted
    speakers = dict(result.speakers)
    if change in known:
        dataset[change] = "3" * 64
    elif change == "utterances":
        speakers = {f"other-{name}": speaker for name, speaker in speakers.items()}
        ids = tuple(f"other-{name}" for name in ids)
    elif change == "labels":
        swap = {"a": "b", "b": "a", "c": "c", "d": "d"}
        truth, predicted = (tuple(swap[label] for label in column) for column in (truth, predicted))
    else:
        ids, truth, predicted = ids[::-1], truth[::-1], predicted[::-1]
    moved = replace(only, test=Predictions(ids, truth, predicted))
    store(result, dataset=dataset, outcomes=(moved,), speakers=speakers)
    document = board_of(serab)
    apart = [cell["extractor"] for cell in document["other_data"]]
    assert apart == ([] if change == "order" else ["second"])
    assert serab("compare", "first", "third")[0] == 0


def test_a_prepared_corpus_decides_the_column(toys, serab, tmp_path):
    """The loop of a user: evaluate, prepare the task again with another manifest, evaluate another extractor."""
    lines = ["path,label,speaker,split"]
    for number in range(48):
        wave = 0.1 * np.random.default_rng(number).standard_normal(2000) * (1 + number % 2)
        soundfile.write(tmp_path / f"{number:02d}.wav", wave, 16000)
        split = ("train", "validation", "test")[number // 2 % 3]
        lines.append(f"{number:02d}.wav,{('calm', 'anger')[number % 2]},s{number // 2 % 3}{number // 24},{split}")
    manifest = tmp_path / "mine.csv"
    manifest.write_text("\n".join(lines))
    assert serab("data", "add", "mine", str(manifest))[0] == 0
    options = ("--tasks", "mine", "--classifiers", "centroid", "--jobs", "1")
    for name in ("toy", "toy/wide"):
        assert serab("eval", name, *options)[0] == 0
    before = board_of(serab)
    manifest.write_text("\n".join(lines[:-6]))
    code, out, _ = serab("data", "add", "mine", str(manifest))
    assert (code, "results: mine, protocol serab: 2 results are on other data (digest" in flat(out)) == (0, True)
    assert board_of(serab)["rows"] == before["rows"]
    assert "mine: no result is on the corpus that is prepared here" in flat(serab("leaderboard")[1])
    assert serab("eval", "toy/corpus", *options)[0] == 0
    document = board_of(serab)
    assert [row["extractor"] for row in document["rows"]] == ["toy/corpus"]
    assert sorted(cell["extractor"] for cell in document["other_data"]) == ["toy", "toy/wide"]
    assert serab("leaderboard")[0] == 0
    assert serab("eval", "toy", *options)[0] == 0
    document = board_of(serab)
    assert sorted(row["extractor"] for row in document["rows"]) == ["toy", "toy/corpus"]
    assert sorted(cell["extractor"] for cell in document["other_data"]) == ["toy", "toy/wide"]
    code, out, _ = serab("data", "add", "mine", str(manifest), "--json")
    assert len(json.loads(out)["results_on_other_data"]) == 1


def continuous(name, *, version="1", digest="1", shift=0.0):
    ids = tuple(f"u{number:02d}" for number in range(12))
    truth = tuple(float(number) for number in range(12))
    test = Predictions(ids, truth, tuple(value + shift for value in truth))
    scores = scores_of(test)
    outcome = ClassifierOutcome("ridge", "Ridge", (Point({}, 0.9),), {}, 0.9, test, scores)
    provenance = {
        "fingerprint": {"version": version},
        "dataset": {"digest": digest},
        "protocol": {"tuner": "grid", "classifiers_by": "protocol", "classifiers": ["ridge"]},
    }
    return TaskResult(
        extractor=name, task="iem4/valence", target="valence", language="en", protocol="serab", variant="default",
        counts={"train": 24, "validation": 12, "test": 12}, chosen="ridge", scores=scores, outcomes=(outcome,),
        synthetic=False, partial=False, cautions=(), key=sha256(f"{name}{version}{digest}".encode()).hexdigest(),
        provenance=provenance, speakers={name: f"s{place // 2}" for place, name in enumerate(ids)},
    )  # fmt: skip


def test_continuous_targets_have_rows_and_columns_too(serab, store, make_result, home):
    store(make_result("x", "emodb", 0.9), fingerprint={"version": "1"})
    entries = [continuous("x"), continuous("x", version="2", shift=1.0), continuous("y"), continuous("z", digest="2")]
    for place, result in enumerate(entries):
        path = result_path(home.ensure(), result.extractor, result.task, "serab", result.key)
        write_result(path, result)
        os.utime(path, (1e9 + place, 1e9 + place))
    path.with_name("serab-damaged.json").write_text("{")
    document = board_of(serab)
    rows, others = document["continuous"]["rows"], document["continuous"]["other_data"]
    assert sorted(row["name"] for row in rows) == ["x", "x", "y"]
    assert [cell["name"] for cell in others] == ["z"]
    assert len({entry["extractor"] for entry in (*rows, *others)}) == 4
    assert any("serab-damaged.json" in notice for notice in document["notices"])
    out = flat(serab("leaderboard")[1])
    assert "iem4/valence‡" in out
    assert "z (digest 2)" in out


@pytest.mark.parametrize(
    "arguments", [*READERS[:-1], ("report",), ("leaderboard", "--csv", "a.csv", "--latex", "a.tex")]
)
def test_continuous_results_alone_stop_no_command(serab, home, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    for result in (continuous("first"), continuous("second", shift=1.0)):
        write_result(result_path(home.ensure(), result.extractor, result.task, "serab", result.key), result)
    code, _out, err = serab(*arguments)
    if arguments[0] not in ("bias", "optimism"):
        assert code == 0, err
    else:
        assert code == UsageError.exit_code
        assert "continuous targets" in flat(err)


def test_a_leaderboard_of_continuous_results_alone_shows_them(serab, home):
    for result in (continuous("first"), continuous("second", shift=1.0)):
        write_result(result_path(home.ensure(), result.extractor, result.task, "serab", result.key), result)
    for arguments in ((), ("--tasks", "iem4"), ("--tasks", "iem4/valence")):
        code, out, err = serab("leaderboard", *arguments)
        assert code == 0, err
        assert "iem4/valence" in flat(out)
        assert "second" in out
    document = board_of(serab)
    assert len(document["continuous"]["rows"]) == 2
    assert document["rows"] == []


def test_scores_by_two_versions_of_a_classifier_are_named(serab, store, make_result):
    codes = [{"distribution": "serab-x", "version": v, "digest": v * 64} for v in "12"]
    for name, task, code in (("a", "emodb", codes[0]), ("a", "emovo", codes[1]), ("b", "emodb", codes[0])):
        result = make_result(name, task, 0.8)
        store(replace(result, provenance={**result.provenance, "classifier_code": {result.chosen: code}}))
    notices = [notice for notice in board_of(serab)["notices"] if notice.startswith("Classifier ")]
    assert len(notices) == 1
    assert "serab-x 1 (11111111) for a on emodb, b on emodb; serab-x 2 (22222222) for a on emovo" in notices[0]
    assert not [notice for notice in board_of(serab, "--tasks", "emodb")["notices"] if notice.startswith("Classifier ")]


# --- properties ---


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_row_mixes_versions_and_no_column_mixes_data(make_result, data):
    pick = st.tuples(
        st.sampled_from(("p", "q")), st.sampled_from(SUITE[:2]), st.sampled_from("12"), st.sampled_from("12")
    )
    results = []
    for name, task, version, digest in data.draw(st.lists(pick, min_size=1, max_size=8, unique=True)):
        result = make_result(name, task, 0.8, speakers=6 + int(digest), seed=int(version))
        provenance = {
            **result.provenance,
            "fingerprint": {"version": version},
            "dataset": {"digest": digest * 64, "audio_digest": data.draw(st.sampled_from(("", "a", "b")))},
        }
        results.append(replace(result, provenance=provenance))
    board = make_board(results, SUITE, "serab", draws=20)
    shown = [cell for row in board.rows for cell in row.cells.values()]
    assert len(shown) + len(board.other_data) == len(results)
    for row in board.rows:
        assert {Version.of(cell.result) for cell in row.cells.values()} == {row.version}
    for task in board.tasks:
        column = [row.cells[task] for row in board.rows if task in row.cells]
        assert column, "the column of a task has the data of one result at least"
        for cell in column:
            compare(column[0].test, cell.test)
    assert len({row.extractor for row in board.rows}) == len(board.rows)
    names = [row.version.name for row in board.rows if row.current]
    assert len(set(names)) == len(names)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_anywhere_in_a_stored_result_stops_nothing(make_result, home, data):
    for name in ("first", "third"):
        result = make_result(name, "emodb", 0.8, speakers=3, seed=len(name))
        write_result(result_path(home.ensure(), name, "emodb", "serab", result.key), result)
    document = json.loads(json.dumps(result_document(make_result("second", "emodb", 0.7, speakers=3))))
    provenance = document["provenance"]
    places = [document, document["outcomes"][0], document["outcomes"][0]["test"], provenance]
    places += [provenance[name] for name in ("dataset", "fingerprint", "protocol")]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(values)
    path = home.results / "second" / "emodb" / "serab-0.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    gathered = load_leaderboard(home, "serab")
    report_page(gathered, "x", {})
    board_document(gathered)
    optimism_document(gathered)
    assert compare_document(load_leaderboard(home, "serab", ["first", "third"]), "first", "third")["tasks"]
    for make in (bias_document, lambda g: fairness_document(load_leaderboard(home, "serab", ["second"]))):
        try:
            make(gathered)
        except SerabError:
            continue


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "' + RESULT_SCHEMA + '"}', "\x00", "[" * 100_000])
def test_damaged_files_are_listed_and_passed_over(serab, store, make_result, content):
    store(make_result("first", "emodb", 0.9))
    damaged = store(make_result("second", "emodb", 0.8))
    damaged.write_text(content)
    code, out, _ = serab("leaderboard", "--json")
    assert code == 0
    assert any(str(damaged) in notice for notice in json.loads(out)["notices"])
    code, _, err = serab("results", "ls")
    assert (code, f"Left out: {damaged}" in flat(err)) == (0, True)


def test_a_score_that_is_not_that_of_its_predictions_is_left_out(serab, store, make_result):
    store(make_result("first", "emodb", 0.9))
    path = store(make_result("second", "emodb", 0.5))
    document = json.loads(path.read_text())
    document["scores"]["accuracy"] = document["outcomes"][0]["scores"]["accuracy"] = 0.99
    path.write_text(json.dumps(document))
    document = board_of(serab)
    assert [row["extractor"] for row in document["rows"]] == ["first"]
    assert any("accuracy of lda is not that of its predictions" in notice for notice in document["notices"])


# --- tables ---


@pytest.mark.parametrize(("width", "count"), [(80, 4), (100, 3), (140, 3)])
def test_names_are_never_cut(serab, store, make_result, monkeypatch, width, count):
    """Nine corpora of a user's own, which enter no mean, and every classifier searched in part."""
    names = ["mfcc", "hf:facebook/wav2vec2-large-xlsr-53+layer=9", "hear:" + "m" * (width + 10)]
    names += [f"extractor-{number}" for number in range(count - 3)]
    for place, name in enumerate(names):
        for corpus in range(9):
            result = make_result(name, f"corpus_{corpus}", 0.4 + 0.05 * corpus, speakers=3, seed=place)
            store(result, protocol={"classifiers_by": "user"})
    monkeypatch.setenv("COLUMNS", str(width))
    for arguments in (("leaderboard",), ("leaderboard", "--details"), ("optimism",), ("results", "ls")):
        code, out, _ = serab(*arguments)
        assert code == 0
        lines = out.splitlines()
        for name in names:
            assert any(name in line for line in lines), (arguments, name)
        assert max(len(line) for line in lines if names[2] not in line) <= width
    table, _, notes = serab("leaderboard")[1].partition("Protocol serab")
    for corpus in range(9):
        assert f"corpus_{corpus}" in table
    assert table.count(".") >= 9 * count  # a score of each on each
    assert flat(notes).count("not searched as the protocol defines") == 1


# --- handing results on ---


@pytest.fixture
def rewritten(serab, store, make_result, tmp_path):
    """A file whose one result has the key of a stored one, and another score."""
    store(make_result("first", "emodb", 0.9))
    file = tmp_path / "friend.json"
    assert serab("results", "export", str(file))[0] == 0
    document = json.loads(file.read_text())
    (result,) = document["results"]
    other = make_result("first", "emodb", 0.5, seed=3)
    result |= {
        name: value
        for name, value in json.loads(json.dumps(result_document(other))).items()
        if name in ("scores", "outcomes")
    }
    file.write_text(json.dumps(document))
    return file


def test_an_import_with_a_known_key_and_other_content(rewritten, serab, home):
    before = {path: path.read_bytes() for path in home.results.rglob("*.json")}
    accuracy = board_of(serab)["rows"][0]["scores"]["emodb"]["accuracy"]
    for _ in range(2):
        code, out, err = serab("results", "import", str(rewritten), "--from", "a friend")
        assert code == 5
        assert "first on emodb: 2 results have the key" in flat(err)
        assert "All are stored and marked." in flat(err)
    assert "0 results" in out
    files = set(home.results.rglob("*.json"))
    assert len(files) == 2
    assert {path: path.read_bytes() for path in before} == before
    document = board_of(serab)
    (row,) = document["rows"]
    assert row["scores"]["emodb"]["accuracy"] == accuracy
    notice = next(notice for notice in document["notices"] if "results have the key" in notice)
    assert all(str(path) in notice for path in files)
    assert "imported: a friend" in notice
    assert "§" in serab("leaderboard", "--details")[1]
    assert serab("results", "ls")[1].count("emodb§") == 2


def test_a_merge_of_one_key_with_two_contents(rewritten, serab, tmp_path):
    mine, merged = tmp_path / "mine.json", tmp_path / "all.json"
    assert serab("results", "export", str(mine))[0] == 0
    assert serab("results", "merge", str(merged), str(mine), str(mine))[0] == 0
    code, out, err = serab("results", "merge", str(merged), str(mine), str(rewritten), "--json")
    assert (code, len(json.loads(out)["conflicts"])) == (5, 1)
    assert "first on emodb: 2 results have the key" in flat(err)
    results = json.loads(merged.read_text())["results"]
    assert len(results) == 2
    assert all("another result has the same key" in result["cautions"][-1] for result in results)
    assert len({result["scores"]["accuracy"] for result in results}) == 2


def test_an_import_beside_a_damaged_file(serab, store, make_result, tmp_path):
    path = store(make_result("first", "emodb", 0.9))
    file = tmp_path / "x.json"
    assert serab("results", "export", str(file))[0] == 0
    path.write_text("{")
    code, out, _ = serab("results", "import", str(file))
    assert (code, "Imported 1 results" in out) == (0, True)
    assert path.read_text() == "{"
    assert len(board_of(serab)["rows"]) == 1


def test_the_same_evaluation_on_another_machine_is_no_conflict(serab, store, make_result, tmp_path):
    store(make_result("first", "emodb", 0.9))
    file = tmp_path / "x.json"
    assert serab("results", "export", str(file))[0] == 0
    document = json.loads(file.read_text())
    document["results"][0]["provenance"] |= {"machine": {"system": "other"}, "python": "3.12", "command": ["serab"]}
    document["results"][0]["cautions"] = ["something else"]
    file.write_text(json.dumps(document))
    code, out, _ = serab("results", "import", str(file))
    assert (code, "1 were stored before" in out) == (0, True)


def test_an_import_on_other_data_than_what_is_prepared(prepared_tones, serab, make_result, tmp_path):
    from serab_core.results.exchange import exchange_text

    file = tmp_path / "x.json"
    file.write_text(exchange_text([replace(make_result("first", "tones", 0.9), key="a" * 64)]))
    code, out, _ = serab("results", "import", str(file))
    assert code == 0
    assert "tones, protocol serab: 1 result is on other data (digest dddddddd) from the corpus prepared here" in flat(
        out
    )
    assert json.loads(serab("results", "import", str(file), "--json")[1])["other_data"]


def test_the_protocol_of_the_settings(prepared_tones, serab, make_result, store, tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_PROTOCOL", "strict")
    store(make_result("first", "emodb", 0.9), protocol=None)
    code, _, err = serab("results", "card", "first")
    assert (code, "under protocol strict" in flat(err)) == (2, True)
    result = replace(make_result("first", "emodb", 0.9), protocol="strict", key="b" * 64)
    store(result)
    assert "--protocol strict" in serab("results", "card", "first")[1]
    assert serab("eval", "toy", "--tasks", "tones", "--classifiers", "centroid", "--jobs", "1")[0] == 0
    file = tmp_path / "toy.npz"
    monkeypatch.setenv("SERAB_PROTOCOL", "nonsense")
    code, _, err = serab("cache", "export", "toy", "--task", "tones", "--to", str(file))
    assert code != 0
    assert "nonsense" in err
    assert serab("cache", "export", "toy", "--task", "tones", "--to", str(file), "--protocol", "serab")[0] == 0


# --- the catalogue ---


def test_which_column_is_taken(make_result):
    def on(name, digest, seed=0):
        result = make_result(name, "emodb", 0.8, seed=seed)
        return replace(result, provenance={**result.provenance, "dataset": {"digest": digest}})

    results = [on("a", "1"), on("b", "1"), on("c", "2")]
    assert make_catalogue(results).columns["emodb"].digest == "1"
    assert make_catalogue([*results, on("d", "2")]).columns["emodb"].digest == "2"  # a tie: the newest
    prepared = {"emodb": DataIdentity("2", "")}
    assert make_catalogue(results, prepared=prepared).columns["emodb"].digest == "2"
    assert make_catalogue(results, prepared={"emodb": DataIdentity("9", "")}).columns["emodb"].digest == "1"


@pytest.mark.parametrize("schema", [[], {}, 3, None])
def test_a_schema_that_is_no_text_is_an_error_of_the_file(make_result, store_result, schema):
    path = store_result(make_result("x", "emodb", 0.5))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": schema}))
    with pytest.raises(ContentError):
        read_result(path)
