"""`serab check` and `pytest --serab-plugin`: what they say of good plugins, bad ones and declared failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from serab_registry import Group

from serab_core.testing.runner import checks_of, find_subjects, run_check

CHECKS = 16
"""Of an extractor."""
NOT_APPLICABLE = 3
"""Checks about weights, of an extractor that declares none."""
DECLARED = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Odd:
    def embed(self, waveforms):
        rows = np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)
        return rows + 1e6 * np.random.standard_normal(rows.shape).astype(np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("odd", Odd, 2, "at random", "MIT", citation="@misc{odd}", expected_failures={
        f"extractor-{check}": "samples on purpose"
        for check in ("repeatable", "batch-independent", "other-process", "settings-kept")}))
"""
RAISES = DECLARED.replace('"odd"', '"raises"').replace("return rows +", "raise KeyError('gone') #")


def test_a_good_plugin(toys, serab):
    code, out, _ = serab("check", "toy")
    assert code == 0
    assert "extractor-batch-independent" in out
    assert "failed" not in out


def test_a_whole_distribution(add_plugin, serab):
    code = (
        RAISES.replace('"raises", Odd', '"raises/a", Odd')
        + """
    register(ExtractorSpec("raises/b", Odd, 2, "at random", "MIT", citation="@misc{odd}"), default=True)
"""
    )
    add_plugin("serab-raises", "serab.extractors", "raises", code)
    code, out, _ = serab("check", "serab-raises", "--json")
    document = json.loads(out)  # one document, whatever comes of it
    assert code == 11
    assert not document["passed"]
    assert [check["subject"] for check in document["checks"]] == CHECKS * ["raises/a"] + CHECKS * ["raises/b"]


def test_failures_are_told_with_their_mending(add_plugin, serab):
    add_plugin("serab-raises", "serab.extractors", "raises", RAISES)
    code, out, err = serab("check", "raises")
    assert code == 11
    assert "raises fails extractor-shape: KeyError: 'gone'" in out
    assert "fix: declare the correct dim" in out
    assert "CheckFailedError" in err


def test_declared_failures_are_shown_as_such(add_plugin, serab):
    add_plugin("serab-odd", "serab.extractors", "odd", DECLARED)
    code, out, _ = serab("check", "odd")
    assert code == 0, out
    assert "odd is declared to fail extractor-repeatable: samples on purpose" in out


@pytest.mark.parametrize(
    ("vice", "told"),
    [
        ("os._exit(3)", "process died: exit code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "process died: SIGSEGV"),
        ("time.sleep(60)", "it did not finish within 6 s"),
    ],
)
def test_a_crash_or_a_hang_fails_one_check_and_the_others_go_on(add_plugin, serab, monkeypatch, vice, told):
    """It embeds silence only in the second check; the library of its choice does not bear it."""
    code = DECLARED.replace("import numpy", "import os, signal, time\nimport numpy", 1)
    code = code.replace("rows = np", f"{vice} if any(not w.any() for w in waveforms) else None\n        rows = np")
    code = code.replace("1e6 * np.random.standard_normal(rows.shape).astype(np.float32)", "0")
    code = code.replace("expected_failures", "parameters").replace('"odd"', '"crasher"')
    add_plugin("serab-crasher", "serab.extractors", "crasher", code)
    monkeypatch.setenv("SERAB_PATIENCE", "6")
    code, out, _ = serab("check", "crasher", "--json")
    assert code == 11
    checks = {check["id"]: check for check in json.loads(out)["checks"]}
    assert len(checks) == CHECKS
    assert told in checks["extractor-finite"]["message"]
    assert {key for key, check in checks.items() if check["state"] == "failed"} == {"extractor-finite"}


def test_names_that_are_none(toys, serab):
    code, out, err = serab("check", "toyy")
    assert (code, out) == (3, "")
    assert "toy" in err


def run_pytest(folder, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path):
    """A plugin author's project with a test of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_own.py").write_text("def test_own(): pass\n")
    return folder


def test_pytest_runs_a_test_for_each_check(toys, project):
    done = run_pytest(project, "--serab-plugin", "toy", "-vv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == CHECKS - NOT_APPLICABLE
    assert f"{NOT_APPLICABLE} skipped" in done.stdout
    assert "extractor-shape[toy]" in done.stdout
    assert "test_own" not in done.stdout
    done = run_pytest(project, "--serab-plugin", "toy", "test_own.py", "-vv", "-k", "shape or own")
    assert done.stdout.count("PASSED") == 2
    assert "passed" in run_pytest(project).stdout


def test_pytest_tells_failures_and_declarations(add_plugin, project):
    add_plugin("serab-odd", "serab.extractors", "odd", DECLARED)
    add_plugin("serab-raises", "serab.extractors", "raises", RAISES)
    done = run_pytest(project, "--serab-plugin", "odd", "-k", "repeatable or batch-independent or shape")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "2 xfailed" in done.stdout
    done = run_pytest(project, "--serab-plugin", "raises", "-k", "shape")
    assert done.returncode == 1
    assert "KeyError" in done.stdout


def test_pytest_writes_junit_xml_of_the_checks(add_plugin, project):
    add_plugin("serab-odd", "serab.extractors", "odd", DECLARED)
    add_plugin("serab-raises", "serab.extractors", "raises", RAISES)
    chosen = "shape or finite or repeatable or damaged-weights"
    run_pytest(project, "--serab-plugin", "odd", "--serab-plugin", "raises", "--junitxml", "out.xml", "-k", chosen)
    (suite,) = ElementTree.parse(project / "out.xml").getroot()
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases) == 2 * 4
    failed = {case.get("name"): case.find("failure").text for case in cases if case.find("failure") is not None}
    assert int(suite.get("failures")) == len(failed) == 3
    text = failed["serab[raises]::extractor-shape[raises]"]
    assert "KeyError: 'gone'" in text
    assert "fix: declare the correct dim" in text
    assert "from_call" not in text
    skipped = [case.find("skipped").get("message") for case in cases if case.find("skipped") is not None]
    assert int(suite.get("skipped")) == len(skipped) == 1 + 2
    assert "samples on purpose" in skipped


BAD = """
from serab_core import DatasetSpec, Entry, Index, SplitVariant, hookimpl

def index(files):
    return Index(tuple(Entry(id="one", file=file, label="a", speaker="s") for file in files))

@hookimpl
def serab_register_datasets(register):
    register(DatasetSpec(name="bad", title="Bad", language="zxx", labels=("a", "a"), index=index, licence="",
        citation="", how_to_get="", expected_counts={"b": 2}, expected_speakers=1, expected_ids=lambda: frozenset("x"),
        variants=(SplitVariant(groups=("s",)), SplitVariant(groups=("s",))), known_defects={"two": "no utterance"}))
"""


def run_python(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip


def test_optimised_python_gives_the_same_verdicts(add_plugin, tmp_path):
    add_plugin("serab-bad", "serab.datasets", "bad", BAD)
    done = run_python(tmp_path, "-m", "serab_core", "check", "bad", "--json", PYTHONOPTIMIZE="2")
    assert done.returncode == 11, done.stderr
    fast = {check["id"]: check["message"] for check in json.loads(done.stdout)["checks"]}
    plain = {check.id: run_check(check).message for check in checks_of(find_subjects("bad"))}
    assert fast == plain
    assert sum(bool(message) for message in plain.values()) >= 5


def test_pytest_fails_a_bad_plugin_under_optimised_python(add_plugin, tmp_path):
    add_plugin("serab-bad", "serab.datasets", "bad", BAD)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    words = ("--serab-plugin", "bad", "-k", "declared", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    done = run_python(tmp_path, "-m", "pytest", *words, "-c", str(tmp_path / "pytest.ini"), PYTHONOPTIMIZE="1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "bad fails dataset-declared: licence is empty" in done.stdout


HEAR = """
import numpy as np

class Model:
    sample_rate, scene_embedding_size, timestamp_embedding_size = 16000, 3, 3

def load_model(path=""):
    return Model()

def get_scene_embeddings(audio, model):
    audio = np.asarray(audio)
    return np.stack([audio.mean(1), audio.std(1), abs(audio).max(1)], 1).astype(np.float32)
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("toy", "toy"),
        ("serab_toys:toy", "serab_toys:toy"),
        ("heavy+shift=1", "heavy+shift=1"),
        ("heavy:folder", "heavy:folder"),
        ("heavy:folder+shift=2", "heavy:folder+shift=2"),
    ],
)
def test_every_name_that_eval_takes_is_one_extractor(toys, name, expected):
    assert find_subjects(name) == [(Group.EXTRACTORS, expected)]
    assert len(checks_of(find_subjects(name))) == CHECKS


@pytest.mark.parametrize("name", ["serab-toys", "Serab_Toys", "serab.toys"])
def test_a_distribution_by_any_spelling(add_plugin, name):
    add_plugin("serab-toys", "serab.datasets", "bad", BAD)
    assert find_subjects(name) == [(Group.DATASETS, "bad")]


@pytest.mark.parametrize(
    ("name", "kind"), [("serab-toys:tones", Group.DATASETS), ("serab-toys:knn", Group.CLASSIFIERS)]
)
def test_datasets_and_classifiers_by_their_distribution(toys, name, kind):
    assert find_subjects(name) == [(kind, name)]
    assert checks_of(find_subjects(name))


def test_a_module_with_the_hear_api_is_checked(site, tmp_path, monkeypatch):
    pytest.importorskip("serab_plugin_hear")
    (tmp_path / "mine.py").write_text(HEAR)
    monkeypatch.chdir(tmp_path)
    found = find_subjects("hear:./mine.py")
    assert found == [(Group.EXTRACTORS, "hear:./mine.py")]
    checks = {check.id: check for check in checks_of(found)}
    assert run_check(checks["extractor-shape"]).state == "passed"
    assert run_check(checks["extractor-input-kept"]).state == "passed"
    weights = run_check(checks["extractor-damaged-weights"])
    assert (weights.state, weights.message) == ("not applicable", "its spec declares no weight files")


def test_a_distribution_without_a_plain_name_is_not_passed(serab):
    pytest.importorskip("serab_plugin_hear")
    code, _, err = serab("check", "serab-plugin-hear")
    assert code == 2
    assert "name one with its argument: hear:..." in err


def test_what_is_not_applicable_is_said(toys, serab):
    code, out, _ = serab("check", "never")
    assert code == 11
    assert "classifier-reference is not applicable to never: no reference is declared" in out
