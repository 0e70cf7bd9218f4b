"""Copies as users have them: another release, parts of a corpus, additional files. The tests need no audio."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serab_plugin_datasets import crema_d, subesco
from serab_plugin_datasets._lists import read_list

from serab_core import SourceFile, plugins
from serab_core.data.check import check, refuse_partial
from serab_core.errors import DataError

OLD = sorted(plugins.dataset("shemo").expected_ids())
NEW = sorted(plugins.dataset("shemo-2022").expected_ids())
SHARED_NAMES = sorted(set(OLD) & set(NEW))


def sources(names, folder="", archive="made"):
    return [SourceFile(PurePosixPath(folder) / f"{name}.wav", 1, bytes, archive=archive) for name in names]


def checked(name, files):
    spec = plugins.dataset(name)
    return check(spec, spec.index(files), "SOURCE")


def message(name, files):
    """Return the error for a copy that is incomplete, or that is not the corpus."""
    try:
        held = checked(name, files)
    except DataError as error:
        return str(error)
    assert held.missing, "the copy passes for whole"
    return str(refuse_partial(plugins.dataset(name), held, "SOURCE"))


@pytest.mark.parametrize(("name", "ids"), [("shemo", OLD), ("shemo-2022", NEW)])
def test_each_release_of_shemo_is_whole_under_its_own_name(name, ids):
    held = checked(name, sources(ids, "female"))
    assert (held.missing, held.problem, held.notes) == ((), "", ())


@pytest.mark.parametrize("part", [1, 7, 40])
@pytest.mark.parametrize(
    ("name", "ids", "other", "first"), [("shemo", NEW, "shemo-2022", "F01N12"), ("shemo-2022", OLD, "shemo", "F01S23")]
)
def test_a_copy_of_the_other_release_is_refused_whole_or_in_part(name, ids, other, first, part):
    with pytest.raises(DataError, match="another release and another task") as caught:
        checked(name, sources(ids[: len(ids) // part] if part > 1 else ids))
    said = str(caught.value)
    assert caught.value.next_step == f'prepare it under that name with `serab.prepare("{other}", "PATH")`'
    assert f"{first}" in said
    assert "missing" not in said
    assert plugins.dataset(other).title in said


def test_the_message_for_the_release_of_2022():
    assert message("shemo", sources(NEW)) == (
        "SOURCE: holds ShEMO (release of 2022), which is another release and another task than ShEMO: 162 names, such "
        "as F01N12, are only in shemo-2022, and no name is only in shemo. Next: prepare it under that name with "
        '`serab.prepare("shemo-2022", "PATH")`.'
    )


def test_names_that_both_releases_have_do_not_tell_the_release():
    held = checked("shemo", sources(SHARED_NAMES))
    note = (
        "the release is ambiguous: the names of all 2838 utterances are in shemo and in shemo-2022, and the same "
        "name need not be the same recording"
    )
    assert held.notes == (note,)
    assert message("shemo", sources(SHARED_NAMES)).startswith(
        "SOURCE: is not the whole of ShEMO: 2838 of 3000 utterances are there, 162 are missing: F01S23, "
    )
    assert note in message("shemo", sources(SHARED_NAMES))


def test_releases_that_lie_apart_do_not_disturb_each_other():
    both = sources(OLD, "a", "2019.zip") + sources(NEW, "a", "2022.zip")
    held = checked("shemo", both)
    assert held.missing == ()
    reasons = dict.fromkeys(skip.reason for skip in held.index.skipped if "second copy" not in skip.reason)
    assert "not one of ShEMO's 3000 utterances, but one of ShEMO (release of 2022) (shemo-2022)" in reasons
    assert {entry.file.archive for entry in held.index.entries} == {"2019.zip"}


@pytest.mark.parametrize("folders", [("all", "all"), ("b2019", "a2022")])
def test_releases_that_lie_mixed_are_refused(folders):
    old, new = folders
    files = sources(OLD, old)
    files += sources(sorted(set(NEW) - set(OLD)) if old == new else NEW, new)
    said = message("shemo", files)
    assert (
        "holds files of two releases, mixed: 162 names, such as F01S23, are only in shemo, 162 names, such as" in said
    )
    assert "missing" not in said


def test_one_stray_file_of_the_other_release_in_a_folder_of_its_own_is_left_out():
    held = checked("shemo", [*sources(OLD, "female"), *sources(["F01N12"], "other")])
    assert held.missing == ()
    assert [skip.file for skip in held.index.skipped] == ["other/F01N12.wav"]


def test_without_the_other_releases_plugin_the_message_is_still_true(monkeypatch):
    spec = replace(plugins.dataset("shemo"), releases=("not-installed",))
    held = check(spec, spec.index(sources(NEW)), "SOURCE")
    said = str(refuse_partial(spec, held, "SOURCE"))
    assert "2838 of 3000 utterances are there, 162 are missing: F01S23" in said
    assert "162 other files were left out, such as F01N12.wav (not one of ShEMO's 3000 utterances)" in said, (
        "files of other names are named"
    )


@given(st.sets(st.sampled_from(sorted(set(OLD) | set(NEW))), min_size=3, max_size=40))
def test_what_is_said_of_any_part_of_shemo_is_true(names):
    """No subset of names is accepted as complete, and the numbers of present and missing utterances add up."""
    here, there = names & set(OLD) - set(NEW), names & set(NEW) - set(OLD)
    said = message("shemo", sources(names))
    if there:
        assert ("mixed" if here else "another release") in said
    elif len({name[3] for name in names}) > 1:
        assert f"{len(names)} of 3000 utterances are there, {3000 - len(names)} are missing" in said
        assert ("release is ambiguous" in said) == (not here)


def test_prepare_says_it_on_the_command_line(tmp_path, capsys, monkeypatch):
    from serab_core.cli.main import run

    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "shemo"
    folder.mkdir()
    for name in NEW:
        (folder / f"{name}.wav").touch()
    for options in ([], ["--allow-partial"]):
        assert run(["data", "prepare", "shemo", str(folder), "--json", *options]) != 0
        step = json.loads(capsys.readouterr().out)["next_step"]
        assert step == "prepare it under that name with `serab data prepare shemo-2022 PATH`"


def test_subescos_zip_is_whole_with_its_stray_bracket():
    files = plugins.dataset("subesco").example()
    assert "SUBESCO/F_02_MONIKA_S_2_SURPRISE_3].wav" in files
    assert "SUBESCO/F_02_MONIKA_S_2_SURPRISE_3.wav" not in files
    held = checked("subesco", [SourceFile(PurePosixPath(path), 1, bytes) for path in files])
    assert held.missing == ()
    assert len(held.index.entries) == 7000
    assert subesco.STRAY_BRACKET in {entry.id for entry in held.index.entries}


@pytest.mark.parametrize("ending", ["", "]", "_mono", "]_mono", "_mono]"])
def test_names_of_subescos_copies(ending):
    index = plugins.dataset("subesco").index(sources([f"F_02_MONIKA_S_2_SURPRISE_3{ending}"]))
    assert [entry.id for entry in index.entries] == ["F_02_MONIKA_S_2_SURPRISE_3"]


@pytest.mark.parametrize(
    "name", ["F_02_MONIKA_S_2_SURPRISE_3[", "F_02_MONIKA_S_2_SURPRISE_3]]", "F_02_MONIKA_S_2_SURPRISE_"]
)
def test_other_names_are_not_subescos(name):
    assert plugins.dataset("subesco").index(sources([name])).entries == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("1040_ITH_SAD_XX", "left out, as TFDS and SERAB do: its name lacked an X in the corpus's table of labels"),
        ("1040_ITH_SAD_X", "left out, as TFDS and SERAB do: its name lacked an X in the corpus's table of labels"),
        (
            "1006_TIE_NEU_XX",
            "left out, as TFDS and SERAB do: it is the same recording as 1006_TIE_HAP_XX, which has another label",
        ),
    ],
)
def test_crema_d_says_why_a_file_is_left_out(name, reason):
    index = plugins.dataset("crema_d").index(sources([name]))
    assert index.entries == ()
    assert [skip.reason for skip in index.skipped] == [reason]


def test_crema_d_says_what_is_wrong_with_what_stays_in():
    notes = checked("crema_d", sources(row.utterance for row in read_list("crema_d"))).notes
    assert [note.partition(" ")[0] for note in notes] == [
        "1006_TIE_HAP_XX", "1013_WSI_SAD_XX", "1017_IWW_ANG_XX", "1076_MTI_SAD_XX",
    ]  # fmt: skip
    assert 'calls it "no audio, very short"' in notes[-1]
    assert "the same recording as 1006_TIE_NEU_XX, with another label" in notes[0]
    assert set(crema_d.KNOWN_DEFECTS) <= plugins.dataset("crema_d").expected_ids()
    assert not set(crema_d.LEFT_OUT) & plugins.dataset("crema_d").expected_ids()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("03-02-06-01-02-01-12", "a song"),
        ("01-02-06-01-02-01-12", "a song"),
        ("01-01-06-01-02-01-12", "from a video"),
        ("02-01-06-01-02-01-12", "from a video"),
        ("03-01-09-01-02-01-12", "its name is not of this corpus"),
    ],
)
def test_ravdess_says_what_a_songs_and_a_videos_files_are(name, reason):
    index = plugins.dataset("ravdess").index(sources([name], "Actor_12"))
    assert index.entries == ()
    assert index.skipped[0].reason.startswith(reason)


def test_siblings_are_declared():
    assert "laryngograph" in plugins.dataset("emodb").siblings["laryngo"]
    assert "MP3" in plugins.dataset("crema_d").siblings["AudioMP3"]
    assert "192 kHz" in plugins.dataset("cafe").siblings["CaFE_192k_1"]


def iem4_files(keep_evaluations=lambda path: True):
    files = plugins.dataset("iem4").example()
    return [
        SourceFile(PurePosixPath(path), 1, lambda data=data: data, archive="made")
        for path, data in files.items()
        if path.endswith(".wav") or keep_evaluations(path)
    ]


@pytest.mark.parametrize("change", ["none", "other folder", "no lines"])
def test_iemocap_without_evaluations_is_refused_by_what_it_lacks(change):
    files = [file for file in iem4_files() if change != "none" or file.name.suffix == ".wav"]
    if change == "other folder":  # the raters' own files lie one folder deeper
        files = [
            replace(file, name=file.name.parent / "Categorical" / file.name.name)
            if file.name.suffix == ".txt"
            else file
            for file in files
        ]
    if change == "no lines":
        files = [replace(file, read=bytes) for file in files]
    with pytest.raises(DataError) as caught:
        plugins.dataset("iem4").index(files)
    assert caught.value.what == "5,934 turns have no labels, because there is no file EmoEvaluation/*.txt"
    assert "name the whole IEMOCAP_full_release" in caught.value.next_step
    assert "Ses01F_impro01_F000.wav" in str(caught.value)


def test_iemocaps_session_without_evaluations_is_counted():
    held = checked("iem4", iem4_files(lambda path: "Session2" not in path))
    reasons = {skip.file: skip.reason for skip in held.index.skipped}
    turns = sum(row.utterance.startswith("Ses02") for row in read_list("iem4"))
    assert len(held.missing) == turns
    lines = [file for file in reasons if "session 2" in file]
    assert len(lines) == 1
    assert lines[0].endswith("turns of session 2, such as Ses02F_impro01_F000")
    assert reasons[lines[0]] == "no file EmoEvaluation/*.txt gives their labels"
    said = message("iem4", iem4_files(lambda path: "Session2" not in path))
    assert f"{5531 - turns} of 5531 utterances are there, {turns} are missing: Ses02F_impro01_F0" in said


def test_iemocaps_sessions_may_come_in_several_zips_and_dialogues_are_no_fault():
    files = [replace(file, archive=f"{file.name.parts[1]}.zip") for file in iem4_files()]
    files += sources(["Ses01F_impro01", "Ses05M_script03_2"], "Session1/dialog/wav")
    files += sources(["music"], "Session1")
    held = checked("iem4", files)
    assert held.missing == ()
    assert [skip.file for skip in held.index.skipped] == ["Session1/music.wav", "403 turns"]


def test_iemocap_with_changed_labels_is_not_whole():
    def changed(file):
        data = file.read()
        if file.name.name == "Ses01F_impro01.txt":
            data = data.replace(b"\tang\t", b"\tsad\t")
        return replace(file, read=lambda: data)

    said = message("iem4", [changed(file) if file.name.suffix == ".txt" else file for file in iem4_files()])
    assert "the labels or speakers of its 5531 utterances are not those of the corpus's 5531: anger: " in said
    assert "missing" not in said


def test_the_name_of_another_corpus_is_told():
    files = plugins.dataset("emovo").example()
    with pytest.raises(DataError) as caught:
        checked("emodb", [SourceFile(PurePosixPath(path), 1, bytes) for path in files])
    assert 'serab.prepare("emovo", "PATH")' in caught.value.next_step
    with pytest.raises(DataError) as caught:
        checked("emodb", sources(["music", "track 2"]))
    assert "prepare" not in caught.value.next_step
