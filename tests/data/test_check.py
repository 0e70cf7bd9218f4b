"""Holding a source against what the corpus should be: every sentence that is said about a copy is true."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serab_core import plugins
from serab_core.data.check import check, refuse_partial
from serab_core.errors import DataError, PluginError
from serab_core.types import SourceFile

PITCHES = ("low", "mid", "high")
IDS = sorted(f"{speaker}_{pitch}_{take}" for speaker in "abcdef" for pitch in PITCHES for take in range(3))
OLD, NEW = set(IDS), set(IDS[4:]) | {"a_low_7", "a_low_8", "b_low_7", "c_mid_7"}


def files(names, folder="wav", archive="made", path=None):
    return [
        SourceFile(PurePosixPath(folder) / f"{name}.wav", 1, bytes, path and Path(path, f"{name}.wav"), archive)
        for name in names
    ]


def held(spec, sources):
    return check(spec, spec.index(sources), "SOURCE")


def said(spec, sources):
    return str(refuse_partial(spec, held(spec, sources), "SOURCE"))


@pytest.fixture
def spec(toys):
    return plugins.dataset("tones")


@pytest.fixture
def releases(spec, monkeypatch):
    """Two releases of the toy corpus: four names of each are not in the other."""
    old = replace(spec, releases=("tones-2",), expected_ids=lambda: frozenset(OLD))
    new = replace(spec, name="tones-2", title="Tones 2", releases=("tones",), expected_ids=lambda: frozenset(NEW))
    known = {"tones": old, "tones-2": new}
    monkeypatch.setattr(plugins, "dataset_or_none", known.get)
    return old, new


def test_a_whole_copy_has_nothing_to_say(spec):
    whole = held(spec, files(IDS))
    assert (whole.missing, whole.problem, whole.notes) == ((), "", ())


def test_missing_utterances_are_counted_and_other_files_named(spec):
    text = said(spec, files([*IDS[1:], "a_low_9", "a_low_8", "noise"]))
    assert f"53 of 54 utterances are there, 1 is missing: {IDS[0]}; 3 other files were left out, such as " in text
    assert "wav/a_low_8.wav (not one of Tones's 54 utterances)" in text
    text = said(spec, files([*IDS[20:], "noise"]))
    assert f"34 of 54 utterances are there, 20 are missing: {IDS[0]}, " in text
    assert "and 12 more; 1 other file was left out, wav/noise.wav (its name is not of this corpus)" in text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.sets(st.sampled_from(IDS), min_size=1), st.sets(st.sampled_from([f"{n}9" for n in IDS]), max_size=5))
def test_numbers_add_up_for_any_part(spec, there, others):
    if len({name.split("_")[1] for name in there}) < 2:
        with pytest.raises(DataError, match="has only the class"):
            held(spec, files(there | others))
        return
    checked = held(spec, files(there | others))
    assert set(checked.missing) == OLD - there
    if there != OLD:
        text = said(spec, files(there | others))
        assert f"{len(there)} of 54 utterances are there, {54 - len(there)} " in text
        assert ("left out" in text) == bool(others)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.sampled_from([f"{s}_{p}_{t}" for s in "abcdef" for p in PITCHES for t in range(6)]), unique=True))
def test_without_a_list_no_more_is_said_to_be_there_than_belongs(spec, names):
    loose = replace(spec, expected_ids=None)
    counts = Counter(name.split("_")[1] for name in names)
    if len(counts) < 2:
        return
    checked = held(loose, files(names))
    lacking = sum(max(0, 18 - counts[label]) for label in PITCHES)
    surplus = sum(max(0, counts[label] - 18) for label in PITCHES)
    if surplus:
        assert "missing" not in checked.problem
        assert "are not those of the corpus's 54" in checked.problem
    elif lacking:
        assert f"{54 - lacking} of 54 utterances are there, {lacking} " in checked.problem
    assert bool(checked.missing) == bool(checked.problem)


def test_all_are_there_but_with_other_labels(spec):
    """It was said that 54 of 54 are there, and something missing."""
    index = spec.index(files(IDS))
    swapped = tuple(replace(entry, label="mid") if entry.id == "a_low_0" else entry for entry in index.entries)
    checked = check(spec, replace(index, entries=swapped), "SOURCE")
    assert checked.missing == ("low: 17 of 18", "mid: 19 of 18")
    text = str(refuse_partial(spec, checked, "SOURCE"))
    assert "the labels or speakers of its 54 utterances are not those of the corpus's 54: low: 17 of 18" in text
    assert "missing" not in text


def test_the_other_release_is_refused_by_its_name(releases):
    for own, other, names in ((*releases, NEW), (*reversed(releases), OLD)):
        with pytest.raises(DataError, match="another release and another task") as caught:
            held(own, files(names))
        assert caught.value.next_step == f'prepare it under that name with `serab.prepare("{other.name}", "PATH")`'
        assert "missing" not in str(caught.value)


def test_names_of_both_releases_are_a_note(releases):
    old, _ = releases
    checked = held(old, files(OLD & NEW))
    assert "the release is ambiguous: the names of all 50 utterances are in tones and in tones-2" in checked.notes[0]
    assert checked.notes[0] in checked.problem
    assert held(old, files(sorted(OLD)[:30])).notes == ()


@pytest.mark.parametrize(
    ("old_at", "new_at", "apart"),
    [
        ({"folder": "wav"}, {"folder": "wav"}, False),
        ({"folder": "r1/wav"}, {"folder": "r2/wav"}, True),
        ({"folder": "wav"}, {"folder": "wav/new"}, True),
        ({"folder": "wav/old"}, {"folder": "wav"}, False),
        ({"archive": "1.zip"}, {"archive": "2.zip"}, True),
        ({"path": "/d/one"}, {"path": "/d/two"}, True),
        ({"path": "/d/one"}, {"path": "/d/one"}, False),
        ({"path": "/d/one"}, {"archive": "/e/new.zip"}, True),
    ],
)
def test_two_releases_are_taken_only_where_they_lie_apart(releases, old_at, new_at, apart):
    old, _ = releases
    sources = files(sorted(OLD), **old_at) + files(sorted(NEW - OLD), **new_at)
    if not apart:
        with pytest.raises(DataError, match="holds files of two releases, mixed: 4 names, such as "):
            held(old, sources)
        return
    checked = held(old, sources)
    assert checked.missing == ()
    reasons = {skip.reason for skip in checked.index.skipped}
    assert reasons == {"not one of Tones's 54 utterances, but one of Tones 2 (tones-2)"}


def test_shared_names_taken_from_the_other_release_are_a_mixture(releases):
    """Two whole releases in two folders, and the index takes the names of both from the wrong one."""
    old, _ = releases
    sources = files(sorted(NEW), folder="a") + files(sorted(OLD - NEW), folder="b")
    with pytest.raises(DataError, match="mixed"):
        held(old, sources)


def test_a_release_whose_plugin_fails_changes_nothing(spec, monkeypatch):
    def fails(name):
        raise PluginError("does not load")

    monkeypatch.setattr(plugins, "dataset_or_none", fails)
    assert held(replace(spec, releases=("tones-2",)), files(IDS)).missing == ()


def test_known_defects_are_told_of_what_is_there(spec):
    marked = replace(spec, known_defects={"a_low_0": "it hums", "b_low_0": "it hisses"})
    assert held(marked, files(set(IDS) - {"b_low_0"})).notes == ("a_low_0 stays in: it hums",)


def test_prepare_notes_what_a_user_must_know(spec, tones_folder, home, quiet):
    from serab_core.data.prepare import prepare

    prepared = prepare(replace(spec, known_defects={"a_low_0": "it hums"}), [tones_folder], home, quiet)
    assert prepared.summary()["notes"] == ["a_low_0 stays in: it hums"]


def test_where_nothing_belongs_another_corpus_is_recommended_by_its_names(spec, monkeypatch):
    other = replace(
        spec, name="other", title="Other", index=plugins.dataset("tones").index, expected_ids=lambda: frozenset(IDS)
    )
    own = replace(spec, index=lambda found: replace(spec.index(found), entries=(), skipped=_all_skipped(found)))
    monkeypatch.setattr(plugins, "all_specs", lambda group: {"tones": own, "other": other})
    with pytest.raises(DataError, match="holds none of") as caught:
        held(own, files(IDS))
    assert 'the names of other, so prepare it with `serab.prepare("other", "PATH")`' in caught.value.next_step
    with pytest.raises(DataError, match="holds none of") as caught:
        held(own, files([*IDS[:2], *(f"noise {n}" for n in range(9))]))
    assert caught.value.next_step == spec.how_to_get


def _all_skipped(found):
    from serab_core.types import Skipped

    return tuple(Skipped(str(file.name), "its name is not of this corpus") for file in found)
