"""From files to shards, and extractors that do not keep their word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serab_core import names, plugins
from serab_core.audio.decode import decode
from serab_core.audio.resample import resample
from serab_core.data.protocols import PROTOCOLS
from serab_core.embed.blocks import MAX_BLOCKS, SHARD_UTTERANCES, cut_blocks, is_done, read_blocks
from serab_core.embed.embedder import embed_block, fit_corpus, load_waveform
from serab_core.embed.fingerprint import fingerprint, fingerprint_digest
from serab_core.errors import AudioError, DataError, ExtractorError, PluginError
from serab_core.types import WeightFile


@pytest.fixture
def task(prepared_tones):
    return prepared_tones.task(PROTOCOLS["serab"])


def embed_all(home, task, name, state=None):
    digest = fingerprint_digest(plugins.extractor(name))
    blocks = cut_blocks(home, task, digest, state)
    done = []
    for block in blocks:
        embed_block(name, digest, block, state, done.append)
    assert sum(done) == len(task.utterances)
    return blocks


def test_blocks_hold_every_utterance_in_order(home, task):
    blocks = embed_all(home, task, "toy/wide")
    assert [len(b.utterances) for b in blocks] == [SHARD_UTTERANCES, 54 - SHARD_UTTERANCES]
    assert all(is_done(block) for block in blocks)
    embeddings = read_blocks(blocks)
    assert embeddings.shape == (54, 64)
    spec = plugins.extractor("toy/wide")
    last = task.utterances[-1]
    expected = spec.factory().embed([load_waveform(last, 16000)])[0]
    np.testing.assert_array_equal(embeddings[-1], expected)


def test_rows_of_a_buffer_that_the_extractor_reuses_stay_as_they_were(home, task):
    """The batches of a block are joined at its end; views of one buffer would all hold the last batch."""
    embeddings = read_blocks(embed_all(home, task, "toy-bad/reused"))
    extractor = plugins.extractor("toy-bad/reused").factory()
    for row, utterance in zip(embeddings, task.utterances, strict=True):
        np.testing.assert_array_equal(row, extractor.embed([load_waveform(utterance, 16000)])[0])


def test_advice_fits_whose_code_raised(toys, tmp_path, monkeypatch):
    assert "plugin's author" in plugins.advice("toy")
    assert "plugin's author" in plugins.advice("serab-toys:toy")
    assert plugins.is_installed("Serab_Toys:toy/wide")
    assert not plugins.is_from_user("Serab_Toys:toy")
    (tmp_path / names.FOLDER_FILE).write_text("{}")
    for name in (str(tmp_path), f"{tmp_path}+best"):
        assert "author" not in plugins.advice(name)
    monkeypatch.setattr(plugins, "_is_editable", lambda distribution: distribution == "serab-toys")
    assert "author" not in plugins.advice("toy/wide+bf16")


def test_a_waveform_is_resampled_to_the_extractors_rate(task):
    utterance = task.utterances[0]
    with open(utterance.path, "rb") as file:
        decoded = decode(file.read(), "x")
    wave = load_waveform(utterance, 16000)
    np.testing.assert_array_equal(wave, resample(decoded.samples, 8000, 16000))
    assert wave.dtype == np.float32


def test_a_changed_or_missing_file_is_noticed(task, tones_folder):
    from serab_toys import tones

    utterance = task.utterances[0]
    tones.write(tones_folder, names=[utterance.id], rate=16000)
    with pytest.raises(DataError, match="has changed since its corpus was prepared"):
        load_waveform(utterance, 16000)
    (tones_folder / "wav" / f"{utterance.id}.wav").unlink()
    with pytest.raises(AudioError, match="does not exist any more"):
        load_waveform(utterance, 16000)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("boom", "raised RuntimeError: boom in two lines"),
        ("exit", "raised SystemExit: 3"),
        ("nan", "numbers that are not finite for utterance a_low_0"),
        ("shape", r"returned float32 \(4, 5\) instead of float32 \(4, 4\)"),
        ("dtype", r"returned float64 \(4, 4\) instead of float32"),
        ("list", "returned list instead of float32"),
        ("factory", "its factory raised ImportError: no module named gigantic"),
    ],
)
def test_an_extractor_that_breaks_its_word_is_named(home, task, capsys, kind, reason):
    name = f"toy-bad/{kind}"
    with pytest.raises(ExtractorError, match=reason) as caught:
        embed_all(home, task, name)
    assert caught.value.where == name
    assert capsys.readouterr().out == ""
    digest = fingerprint_digest(plugins.extractor(name))
    assert not any(is_done(block) for block in cut_blocks(home, task, digest, None))


def test_a_worker_with_another_version_is_refused(home, task):
    block = cut_blocks(home, task, "0" * 64, None)[0]
    with pytest.raises(ExtractorError, match="another version in this worker"):
        embed_block("toy", "0" * 64, block, None, lambda n: None)


def test_corpus_statistics(home, task):
    train = tuple(u for u in task.utterances if u.split == "train")
    state = fit_corpus("toy/corpus", train)
    plain = read_blocks(embed_all(home, task, "toy"))
    shifted = read_blocks(embed_all(home, task, "toy/corpus", state))
    np.testing.assert_allclose(shifted, plain - np.float32(state["mean"]), rtol=1e-5)
    one = cut_blocks(home, task, "f" * 64, state)[0].shard.key
    assert one != cut_blocks(home, task, "f" * 64, {"mean": 0.0})[0].shard.key
    with pytest.raises(ExtractorError, match="has no fit_corpus"):
        fit_corpus("toy-bad/nocorpus", train)


def test_corpus_statistics_must_be_plain(home, task, monkeypatch):
    from serab_toys import extractors

    monkeypatch.setattr(extractors.Corpus, "fit_corpus", lambda self, waves: {"mean": {1, 2}})
    with pytest.raises(ExtractorError, match="must return a mapping of plain numbers"):
        fit_corpus("toy/corpus", task.utterances)


WEIGHTS = (WeightFile("w.bin", "https://example.org/w.bin", "ab" * 32, 3),)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "toy/b"},
        {"version": "2"},
        {"dim": 9},
        {"sample_rate": 8000},
        {"parameters": {"a": 1}},
        {"weights": WEIGHTS},
        {"libraries": ("numpy",)},
    ],
)
def test_the_fingerprint_changes_with_each_part(toys, change):
    spec = plugins.extractor("toy")
    assert fingerprint_digest(replace(spec, **change)) != fingerprint_digest(spec)


def test_the_fingerprint_changes_with_what_is_around(toys, monkeypatch):
    """How audio becomes samples, and the versions of what computes."""
    from serab_core.embed import fingerprint as own

    spec = replace(plugins.extractor("toy"), libraries=("numpy",), weights=WEIGHTS)
    found = {fingerprint_digest(spec)}
    real = own.metadata.version
    for name in ("numpy", "soxr"):
        with monkeypatch.context() as patch:
            patch.setattr(own.metadata, "version", lambda own, name=name: "0.0" if own == name else real(own))
            found.add(fingerprint_digest(spec))
    for name, value in (("AUDIO_VERSION", 99), ("QUALITY", "LQ")):
        with monkeypatch.context() as patch:
            patch.setattr(own, name, value)
            found.add(fingerprint_digest(spec))
    for change in ({"sha256": "cd" * 32}, {"sha256": "cd" * 32, "name": "other.bin"}):
        found.add(fingerprint_digest(replace(spec, weights=(replace(WEIGHTS[0], **change),))))
    assert len(found) == 6  # the weights' name is no part of it: their content is


def test_a_shards_name_changes_with_samples_their_order_and_statistics(task, home):
    def names(task, state=None):
        return tuple(block.shard.key for block in cut_blocks(home, task, "f" * 64, state))

    first, second, *others = task.utterances
    changed = replace(task, utterances=(replace(first, sha256="0" * 64), second, *others))
    turned = replace(task, utterances=(second, first, *others))
    told = {names(task), names(changed), names(turned), names(task, {"mean": 1.0}), names(task, {"mean": 2.0})}
    assert len(told) == 5
    renamed = replace(task, utterances=(replace(first, id="other", label="other", path="/elsewhere"), second, *others))
    assert names(renamed) == names(task)  # the same samples are embedded once


def test_the_fingerprint_does_not_change_with_words(toys):
    spec = plugins.extractor("toy")
    same = replace(spec, summary="other", citation="@misc{x}", licence="MIT", batch_size=1)
    assert fingerprint(same) == fingerprint(spec)


def test_a_spec_without_an_identity_is_refused(toys):
    with pytest.raises(PluginError, match="not plain JSON values"):
        fingerprint(plugins.extractor("toy-bad/params"))
    with pytest.raises(PluginError, match="pip install not-a-library"):
        fingerprint(plugins.extractor("toy-bad/library"))


def test_a_large_task_has_larger_blocks_not_more_files(task, home):
    one = task.utterances[0]
    many = replace(task, utterances=tuple(replace(one, id=f"{n:06d}") for n in range(40 * MAX_BLOCKS + 7)))
    blocks = cut_blocks(home, many, "0" * 64, None)
    assert len(blocks) <= MAX_BLOCKS
    assert sum(len(block.utterances) for block in blocks) == len(many.utterances)
    assert {len(block.utterances) for block in blocks[:-1]} == {41}
