"""Documents in which a field has another type or an extreme value: read or refused in words, and no command breaks.

Flipped bytes hardly ever give valid JSON of another meaning. Here each field of each document that serab stores or
imports is replaced by a value of each type of JSON, by extreme values and by nothing; then its reader and the
commands that show it are run.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from dataclasses import replace
from itertools import product

import pytest

from serab_core import settings
from serab_core.errors import SerabError
from serab_core.isolation.environments import environments
from serab_core.results.exchange import import_results, read_exchange
from serab_core.results.stored import valid_results
from serab_core.score.outcome import scores_of
from serab_core.store import codec
from serab_core.store.download import DownloadNote
from serab_core.store.results import result_document
from serab_core.system.session import current_session
from tests.faults.conftest import amount

COUNT = amount("FUZZ", 250)
COMMANDS = max(2, COUNT // 400)  # documents of each kind for which commands are run, two for each
GONE = object()
VALUES = [
    None, True, False, 0, -1, 1, 7, 0.5, -0.0, 1e308, 1e-320, 2**31, 2**63, 10**30, "", " ", ".", "..", "../../x", "x",
    "/etc/passwd", "a\nb", "\x1b]0;x\x07", "\u202eevil", "[red]x[/nothing]", "=1+1", "\0", "x" * 300, "caf\udce9",
    "\ud800", "خشم", [], [1], ["x"], [None], [["x", "y"]], {}, {"a": 1}, {"": ""}, {"test": -1}, {"a": {"b": ["c"]}},
    GONE,
]  # fmt: skip
RAW = ["NaN", "-Infinity", "1e999", "9" * 5000, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, '"\\ud800"']
MARK = "\ue000place\ue000"


def places(value, path=()):
    """The path of each field; of a list, and of a table with many keys, the first ones."""
    yield path
    if isinstance(value, dict):
        for key in list(value)[:40]:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for at in range(min(len(value), 2)):
            yield from places(value[at], (*path, at))


def replaced(document: str, path, value) -> bytes:
    """The document with another value at a path; a string of `RAW` is put in as it is."""
    root = [json.loads(document)]
    place, key = root, 0
    for step in path:
        place, key = place[key], step
    if value is GONE and path:
        del place[key]
    elif value is not GONE:
        place[key] = value[1] if isinstance(value, tuple) else value
    text = json.dumps(root[0])
    if isinstance(value, tuple):
        text = text.replace(json.dumps(value[1]), value[0])
    return text.encode()


def variants(documents: list[str], seed: int):
    """Documents with one field replaced, in random order; when all are used up, with two or more."""
    rng = random.Random(seed)
    values = [*VALUES, *((raw, MARK) for raw in RAW)]
    simple = [
        (document, path, value)
        for document in documents
        for path, value in product(places(json.loads(document)), values)
    ]
    rng.shuffle(simple)
    for made, (document, path, value) in enumerate(simple):
        if made == COUNT:
            return
        yield replaced(document, path, value)
    for _ in range(COUNT - len(simple)):
        content = rng.choice(documents)
        for _ in range(rng.choice((2, 2, 3, 5))):
            try:
                content = replaced(content, rng.choice(list(places(json.loads(content)))), rng.choice(VALUES)).decode()
            except (ValueError, RecursionError):
                break
        yield content.encode()


@pytest.fixture
def fuzz(report_fault, request, serab, monkeypatch, tmp_path):
    """`fuzz(documents, put, read, commands)`: writes each variant by `put`, reads it, runs the commands on some.

    A command may refuse its words or its input; it may not end in an error that serab did not foresee.
    """

    def unforeseen(error):
        raise AssertionError("a command ended in a traceback") from error

    monkeypatch.setattr(sys.modules["serab_core.cli.main"], "unforeseen", unforeseen)

    def run(documents, put, read, commands, seed):
        counts = {"inputs": 0, "read": 0, "refused": 0, "commands": 0}
        shown = random.Random(seed)
        for content in variants(documents, seed):
            counts["inputs"] += 1
            put(content)
            try:
                read()
            except SerabError as error:
                counts["refused"] += 1
                assert str(error)
                if counts["refused"] > COMMANDS // 2 and shown.random() > COMMANDS / COUNT / 4:
                    continue
            except Exception as error:
                raise AssertionError(f"the reader failed on {content[:3000]!r}") from error
            else:
                counts["read"] += 1
                if counts["read"] > COMMANDS and shown.random() > COMMANDS / COUNT:
                    continue
            for command in shown.sample(commands, min(2, len(commands))):
                try:
                    _, out, err = serab(*(part.format(folder=tmp_path) for part in command))
                except AssertionError as error:
                    raise AssertionError(f"{command} failed on {content[:3000]!r}") from error
                assert not {"\x1b", "\x07", "\u202e"} & set(out + err), (command, content[:3000])
                counts["commands"] += 1
        assert counts["refused"]
        name = request.node.name.removeprefix("test_")
        report_fault(name, **counts, tracebacks=0)
        return counts

    return run


SHOW_RESULTS = (
    ("report", "-o", "{folder}/report.html", "--figures", "{folder}/figures"),
    ("leaderboard", "--csv", "{folder}/x.csv", "--latex", "{folder}/x.tex", "--details"),
    ("leaderboard", "--json", "--uar"),
    ("fairness", "good"),
    ("compare", "x", "good"),
    ("bias",),
    ("optimism",),
    ("results", "card", "good"),
    ("results", "ls"),
    ("results", "export", "{folder}/again.json"),
    ("cache", "verify", "--keep"),
    ("cache", "gc"),
)


@pytest.fixture
def stored(make_result, store_result):
    """A home with results of two extractors on two tasks; returns the path of one of them."""
    paths = [
        store_result(make_result(extractor, task, 0.8, speakers=3, each=4))
        for extractor, task in product(("good", "x"), ("emodb", "savee"))
    ]
    return paths[-1]


def test_results(fuzz, stored):
    from serab_core.store.home import find_home

    def read():
        valid, errors = valid_results(find_home())
        assert len(valid) + len(errors) == 4
        if errors:
            raise errors[0]

    fuzz([stored.read_text()], stored.write_bytes, read, SHOW_RESULTS, 1)


def test_continuous_results(fuzz, stored, make_result, home):
    result = make_result("x", "emodb", 0.8, speakers=3, each=4)
    outcome = result.outcomes[0]
    values = tuple(float(place % 5) for place in range(len(outcome.test.ids)))
    test = replace(outcome.test, truth=values, predicted=values[::-1])
    outcome = replace(outcome, test=test, scores=scores_of(test))
    continuous = replace(result, task="iem4/valence", target="valence", outcomes=(outcome,), scores=outcome.scores)
    path = home.results / "x" / "iem4" / "valence" / "serab-0.json"
    path.parent.mkdir(parents=True)

    def read():
        _, errors = valid_results(home)
        if errors:
            raise errors[0]

    fuzz([json.dumps(result_document(continuous))], path.write_bytes, read, SHOW_RESULTS[:3], 2)


def test_exchange_files(fuzz, make_result, store_result, home, tmp_path):
    """What is imported stays in the home beside the results of the last imports."""
    for extractor, task in product(("good", "x"), ("emodb", "savee")):
        store_result(make_result(extractor, task, 0.8, speakers=3, each=4))
    document = json.loads(json.dumps(result_document(make_result("x", "emodb", 0.7, speakers=3, each=4, seed=1))))
    file = tmp_path / "exchange.json"

    def read():
        import_results(home, read_exchange(file), "a stranger")
        imported = sorted(home.results.rglob("*.json"), key=lambda path: path.stat().st_mtime_ns)[4:]
        for path in imported[:-12]:
            path.unlink()
        names = {folder.name for folder in home.results.iterdir()}
        assert all(name and len(name.encode()) <= 255 and name not in (".", "..") for name in names)

    whole = json.dumps({"schema": "serab.results/1", "serab": "0", "results": [document]})
    fuzz([whole], file.write_bytes, read, (*SHOW_RESULTS, ("results", "merge", "{folder}/m.json", str(file))), 3)
    shutil.rmtree(home.results)


def test_studies(fuzz, home, make_result, serab):
    from serab_core.store.results import outcome_path, write_outcome
    from serab_core.tune.studies import StudyRecord, list_studies, write_study_record

    about = StudyRecord("ab" * 16, "cd" * 16, "x", "emodb", "serab", "lda", "grid", 4)
    write_study_record(home.ensure(), about)
    outcome = make_result("x", "emodb", 0.8, speakers=3, each=4).outcomes[0]
    write_outcome(outcome_path(home, about.study), outcome, {"x": 1})
    path, other = home.studies / "about" / f"{about.study}.json", outcome_path(home, about.study)
    commands = (
        ("studies", "ls"),
        ("studies", "ls", "--json"),
        ("studies", "show", "ab"),
        ("cache", "verify", "--keep"),
    )
    good = path.read_bytes()
    fuzz([path.read_text()], path.write_bytes, lambda: list_studies(home), commands, 4)
    path.write_bytes(good)
    fuzz([other.read_text()], other.write_bytes, lambda: list_studies(home), commands, 5)


def test_weight_records(fuzz, toys, home, tmp_path):
    from serab_core import plugins
    from serab_core.store.weights import import_weights, weight_record

    (weight,) = plugins.extractor("heavy").weights
    source = tmp_path / "heavy.pth"
    source.write_bytes(b"gain 2.0")
    import_weights(home.ensure(), weight, source, "here")
    path = home.weights / f"{weight.name}.json"
    commands = (("weights", "list"), ("weights", "list", "--json"), ("cache", "verify", "--keep"))
    fuzz([path.read_text()], path.write_bytes, lambda: weight_record(home, weight), commands, 6)


def test_agreed_terms(fuzz, toys, home, tmp_path):
    from serab_toys.heavy import STRICT

    from serab_core.store.weights import AgreedDocument, agree

    agree(home.ensure(), STRICT, lambda weight: True)
    path = home.weights / "agreed-terms.json"
    source = tmp_path / "heavy.pth"
    source.write_bytes(b"gain 2.0")
    commands = (("weights", "import", "heavy/strict", str(source)), ("weights", "list"))
    fuzz([path.read_text()], path.write_bytes, lambda: codec.read(path, AgreedDocument), commands, 7)


def test_prepared_indexes(fuzz, prepared_tones, home, quiet):
    from serab_core.data.prepared import load

    path = home.datasets / "tones" / "index.json"
    document = json.loads(path.read_text())
    document["utterances"] = document["utterances"][::6]
    document["notices"] = [{"kind": "gap", "severity": "caution", "text": "t", "names": ["x"]}]
    commands = (
        ("data", "list"), ("data", "list", "--json"), ("data", "show", "tones"), ("data", "show", "tones", "--json"),
        ("data", "verify", "tones"), ("cache", "ls"), ("cache", "verify", "--keep"),
    )  # fmt: skip
    fuzz([json.dumps(document)], path.write_bytes, lambda: load(home, "tones").summary(), commands, 8)


def test_bench_history(fuzz, home, tmp_path):
    from serab_core.bench.history import past

    info = {"extractor": "x", "threads": 1, "clips": 1, "clip_s": 3.0, "ratio": 0.5}
    run = {
        "schema": "serab.bench/1", "datetime": "2026-01-01T00:00:00+00:00", "version": "serab 0.1.0", "commit_info": {},
        "machine_info": {"node": "n", "processor": "p"}, "benchmarks": [{"name": "x-1", "extra_info": info}],
    }  # fmt: skip
    path = home.ensure().speed / "runs" / "20260101T000000-0.1.0-n.json"
    path.parent.mkdir(parents=True)

    def read():
        _, errors = past(home)
        if errors:
            raise errors[0]

    commands = (("bench", "--history"), ("bench", "--history", "--json"),
                ("bench", "--history", "--plot", "{folder}/x.svg"))  # fmt: skip
    fuzz([json.dumps(run)], path.write_bytes, read, commands, 9)


def test_speed_notes(fuzz, stored, home):
    from serab_core.run.throughput import ThroughputDocument

    path = home.speed / "embedding" / "good.json"
    path.parent.mkdir(parents=True)
    document = {"schema": "serab.pace/1", "extractor": "good", "audio_s": 100.0, "seconds": 2.0}
    fuzz([json.dumps(document)], path.write_bytes, lambda: codec.read(path, ThroughputDocument), SHOW_RESULTS[:3], 10)


def test_download_notes(fuzz, tmp_path):
    path = tmp_path / "w.bin.json"
    note = DownloadNote("serab.download/1", "https://example.org/w.bin", '"v1"', "Tue", 100)
    fuzz([codec.encode(note).decode()], path.write_bytes, lambda: codec.read(path, DownloadNote), (), 11)


def test_isolated_environments(fuzz, home):
    path = home.root / "isolated" / "serab-x" / "isolated.json"
    path.parent.mkdir(parents=True)
    document = {
        "schema": "serab.isolated/1", "python": "bin/python", "distribution": "serab-x", "version": "1",
        "extractors": ["x", "y"],
    }  # fmt: skip

    def read():
        for environment in environments():
            if environment.error:
                raise SerabError(environment.error)
            json.dumps(environment.as_json())
            assert all(isinstance(name, str) for name in environment.extractors)

    fuzz([json.dumps(document)], path.write_bytes, read, (("plugins",), ("plugins", "--json")), 12)


def test_settings(fuzz, tmp_path, monkeypatch):
    """Settings are TOML; of the values, those that TOML can say."""
    path = tmp_path / "serab.toml"
    monkeypatch.setenv("SERAB_CONFIG", str(path))
    document = {"home": str(tmp_path / "home"), "jobs": 3, "tasks": ["emodb"], "protocol": "strict", "isolate": False}

    def put(content: bytes) -> None:
        try:
            value = json.loads(content, parse_constant=float)
            list(map(toml, value.values()))
        except (ValueError, RecursionError, AttributeError):
            value = {}
        lines = [f"{name} = {toml(item)}" for name, item in value.items()] if isinstance(value, dict) else ["= 3"]
        path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
        current_session().close()

    fuzz([json.dumps(document)], put, settings.current_settings, (("config",), ("config", "--json")), 13)


def toml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return (
        {None: "nan", True: "true", False: "false"}.get(value, "") or json.dumps(value)
        if not isinstance(value, float | int) or isinstance(value, bool)
        else repr(value)
    )


def test_every_stored_schema_of_this_module_is_in_the_json_schema_of_its_type():
    """The types of documents can be published as JSON Schema."""
    from serab_core.store.result_documents import ResultDocument

    schema = codec.json_schema(ResultDocument)
    assert "serab.result/3" in json.dumps(schema)
