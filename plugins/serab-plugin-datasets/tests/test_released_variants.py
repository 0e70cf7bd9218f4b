"""ShEMO and IEM4 at full size, cut by true speaker and as released.

Their lists of files follow from no rule, so these are made up: names by the corpora's patterns, as many in each class,
and in each pair of splits (by speaker, and by what the released code took for one), as agree with the reference.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import PurePosixPath

from serab_plugin_datasets import iem4, shemo

from serab_core import SourceFile, plugins
from serab_core.data.prepare import cut
from serab_core.data.splits import crossing_speakers, draw_groups

SPLITS = ("train", "validation", "test")
SHEMO = {"default": (1696, 566, 738), "as_released": (2070, 558, 372)}  # reference section 1.4
IEM4 = {"default": (3329, 1045, 1157), "as_released": (3413, 996, 1122)}


def labels_in_turn(codes: dict[str, str], counts: dict[str, int]) -> list[str]:
    return [code for code, label in codes.items() for _ in range(counts[label])]


def shemo_files() -> list[SourceFile]:
    speakers, numbers = draw_groups(shemo.SPEAKERS), draw_groups(shemo.NUMBERS)
    rows, columns = SHEMO["default"], SHEMO["as_released"]
    table = [[row * column // 3000 for column in columns] for row in rows]
    for i in range(3):  # what rounding lost, so that both margins come out
        table[i][0] += rows[i] - sum(table[i])
    for j in (1, 2):
        lost = columns[j] - sum(table[i][j] for i in range(3))
        table[0][j] += lost
        table[0][0] -= lost
    labels = labels_in_turn(shemo.LABELS, plugins.dataset("shemo").expected_counts)
    names = []
    for row, column in itertools.product(range(3), range(3)):
        room = table[row][column]
        pairs = itertools.product(
            (n for n in shemo.NUMBERS if numbers[n] == SPLITS[column]),
            (s for s in shemo.SPEAKERS if speakers[s] == SPLITS[row]),
        )
        chosen = list(itertools.islice(pairs, room))
        assert len(chosen) == room
        names += [f"{speaker}{labels.pop()}{number}" for number, speaker in chosen]
    return [SourceFile(PurePosixPath(f"{name}.wav"), 1, bytes) for name in names]


def iem4_files() -> list[SourceFile]:
    groups = draw_groups(iem4.SPEAKERS)
    labels = labels_in_turn(iem4.LABELS, plugins.dataset("iem4").expected_counts)
    # By the split of the dialogue and of the speaker: the two of a session's dialogues and speakers are the same ids.
    wanted = {
        ("train", "train"): 2311, ("train", "validation"): 545, ("train", "test"): 557, ("validation", "train"): 496,
        ("validation", "validation"): 500, ("test", "train"): 522, ("test", "test"): 600,
    }  # fmt: skip
    numbers: Counter[str] = Counter()
    lines: dict[str, list[str]] = {}
    files = []
    for (dialogue_split, speaker_split), count in wanted.items():
        places = [
            (dialogue, sex)
            for dialogue in iem4.SPEAKERS
            for sex in "FM"
            if groups[dialogue] == dialogue_split and groups[dialogue[:2] + sex] == speaker_split
        ]
        for dialogue, sex in itertools.islice(itertools.cycle(places), count):
            number = numbers[dialogue + sex]
            numbers[dialogue + sex] += 1
            recording = f"Ses{dialogue}_impro{number // 1000:02d}"
            name = f"{recording}_{sex}{number % 1000:03d}"
            lines.setdefault(recording, []).append(f"[0.1 - 0.2]\t{name}\t{labels.pop()}\t[2.5, 2.5, 2.5]")
            files.append(SourceFile(PurePosixPath(f"wav/{name}.wav"), 1, bytes))
    texts = {name: "\n".join(own).encode() for name, own in lines.items()}
    return files + [
        SourceFile(PurePosixPath(f"dialog/EmoEvaluation/{name}.txt"), 1, lambda text=text: text)
        for name, text in texts.items()
    ]


def held(name: str, files: list[SourceFile], expected: dict[str, tuple[int, ...]]) -> None:
    spec = plugins.dataset(name)
    index = spec.index(files)
    assert Counter(e.label for e in index.entries) == spec.expected_counts
    speakers = {e.id: e.speaker for e in index.entries}
    assert len(set(speakers.values())) == spec.expected_speakers
    for variant, counts in expected.items():
        splits = {i: split for i, (_, split) in cut(spec.variant(variant), index, spec).items()}
        assert tuple(Counter(splits.values())[split] for split in SPLITS) == counts
        crossing = crossing_speakers(speakers, splits)
        assert bool(crossing) == (variant == "as_released")
        if crossing and name == "iem4":
            tested = {speakers[i] for i, split in splits.items() if split == "test"}
            trained = {speakers[i] for i, split in splits.items() if split == "train"}
            assert tested <= trained  # reference section 0.4: everybody in test is in training, too


def test_shemo():
    held("shemo", shemo_files(), SHEMO)


def test_iem4():
    held("iem4", iem4_files(), IEM4)
