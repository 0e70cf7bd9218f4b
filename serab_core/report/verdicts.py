"""Comparisons, subset bias, optimism and fairness: as documents, and those documents as tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.errors import UsageError
from serab_core.report.tables import percent, print_by_extractor, probability, table
from serab_core.score.aggregate import enters, is_guess
from serab_core.score.board import subset_scores
from serab_core.score.compare import compare, compare_overall
from serab_core.score.fairness import by_sex, by_speaker, sex_gap, speaker_gap
from serab_core.score.optimism import optimism
from serab_core.score.subsets import equal_flips, subset_bias
from serab_core.store.identity import DataIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from serab_core.report.board import Gathered
    from serab_core.score.board import Board, Cell
    from serab_core.score.fairness import SexGap, SpeakerGap

    Document = Mapping[str, Any]


def compare_document(gathered: Gathered, first: str, second: str) -> dict[str, Any]:
    """Two extractors, task by task and over all, `serab.comparison/1`.

    Raises:
        UsageError: they are the same one, have no task in common, or were not tested on the same utterances.
    """
    if first == second:
        raise UsageError(f"{first} is to be compared with itself", next_step=f"serab compare {first} ANOTHER")
    board = gathered.board
    a, b = _cells(board, first), _cells(board, second)
    common = [task for task in board.tasks if task in a and task in b]
    names = " ".join(dict.fromkeys(cells[task][0].result.extractor for cells in (a, b) for task in cells))
    if not common:
        raise UsageError(f"{first} and {second} have no task in common", next_step=f"serab eval {names}")
    in_means = {row.extractor: row.tasks for row in board.rows}
    tasks: dict[str, Any] = {}
    pairs, apart = {}, []
    for task in common:
        pair = _same_data(a[task], b[task])
        if pair is None:
            apart.append(task)
            continue
        on_column = all(board.catalogue.on_column(cell.result) for cell in pair)
        tests = pair[0].test, pair[1].test
        tasks[task] = {
            "first": getattr(pair[0].result, board.metric),
            "second": getattr(pair[1].result, board.metric),
            "other_data": not on_column,
            **asdict(compare(*tests, board.metric)),
        }
        if on_column and all(task in in_means.get(label, ()) for label in (first, second)):
            pairs[task] = tests
    if not tasks:
        raise UsageError(
            "the two were not tested on the same utterances",
            where=f"{first} and {second} on {', '.join(apart)}",
            next_step=f"serab eval {names} --tasks {','.join(apart)}",
        )
    differing = f"Not compared: {', '.join(apart)}. The scores of {first} and {second} there are on different data."
    notices = [differing] if apart else []
    return {
        "schema": "serab.comparison/1",
        "protocol": board.protocol,
        "metric": board.metric,
        "first": first,
        "second": second,
        "tasks": tasks,
        "overall": asdict(compare_overall(pairs, board.metric)) if pairs else None,
        "suite": board.suite,
        "notices": [*notices, *gathered.notices],
    }


def _cells(board: Board, label: str) -> dict[str, list[Cell]]:
    """The cells of an extractor by task, that of the task's column first."""
    cells = {task: [cell] for row in board.rows if row.extractor == label for task, cell in row.cells.items()}
    for cell in board.other_data:
        if cell.extractor == label:
            cells.setdefault(cell.result.task, []).append(cell)
    return cells


def _same_data(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[Cell, Cell] | None:
    """The first pair of cells on the same data; None where there is none."""
    for a in first:
        for b in second:
            if DataIdentity.of(a.result).matches(DataIdentity.of(b.result)):
                return a, b
    return None


def print_comparison(console: Console, document: Document) -> None:
    """Prints a comparison."""
    first, second = document["first"], document["second"]
    name = "UAR" if document["metric"] == "uar" else "accuracy"
    made = table(
        "Task", "A %", "B %", "A - B", "Only A", "Only B", "p", "Test", "Speakers",
        right=("A %", "B %", "A - B", "Only A", "Only B", "p", "Speakers"),
        title=f"A {first}, B {second}: {name}",
    )  # fmt: skip
    for task, own in document["tasks"].items():
        made.add_row(
            task + ("‡" if own["other_data"] else ""),
            percent(own["first"]),
            percent(own["second"]),
            f"{100 * own['difference']:+.1f}",
            str(own["only_first"]),
            str(own["only_second"]),
            probability(own["p"]),
            own["test"] or "too few speakers",
            str(own["speakers"]),
        )
    console.print(made)
    overall = document["overall"]
    if overall is None:
        _note(console, "No task of the benchmark is among them: there is no mean to compare.")
    else:
        _say(console, _overall_text(document, overall, first, second))
    _notes(console, document)


def _overall_text(document: Document, overall: Mapping[str, Any], first: str, second: str) -> str:
    """The comparison of the means in a few sentences."""
    count = f"{len(overall['tasks'])} of {document['suite']} tasks"
    difference = f"UM over {count}: A - B {100 * overall['difference']:+.1f} points"
    if overall["p"] is None:
        return f"{difference}. Too few speakers to test whether that is more than chance."
    reach = overall["interval"]
    limits = f"({100 * reach['low']:+.1f} to {100 * reach['high']:+.1f}, 95 %)"
    better = first if overall["difference"] > 0 else second
    verdict = f"{better} is better." if overall["p"] < 0.05 else "The difference is not significant."
    return f"{difference} {limits}, p {probability(overall['p'])}, {overall['test']}. {verdict}"


def bias_document(gathered: Gathered) -> dict[str, Any]:
    """The spread of means over subsets of the tasks, `serab.bias/1`.

    Raises:
        UsageError: fewer than two extractors have all ranked tasks, or there are fewer than two tasks.
    """
    board = gathered.board
    complete = [row for row in board.rows if row.group is not None]
    scores = subset_scores(board)
    if len(board.ranked) < 2 or len(scores) < 2:
        raise UsageError(
            f"{len(scores)} extractors have results on all of {len(board.ranked)} tasks; two of each are needed",
            next_step="serab eval X Y, with two tasks prepared (serab data list)",
        )
    sizes = subset_bias(scores, board.ranked)
    return {
        "schema": "serab.bias/1",
        "protocol": board.protocol,
        "metric": board.metric,
        "left_out": [row.extractor for row in complete if row.extractor not in scores],
        "tasks": list(board.ranked),
        "suite": board.suite,
        "sizes": [
            {
                "tasks": size.tasks,
                "subsets": size.subsets,
                "extractors": {
                    name: {
                        "lowest": size.lowest[name],
                        "highest": size.highest[name],
                        "deviation": size.deviation[name],
                    }
                    for name in scores
                },
                "flips": [{"first": a, "second": b, "share": share} for (a, b), share in size.flips.items()],
                "mean_flips": size.mean_flips,
                "equal_flips": equal_flips(size.tasks, len(board.ranked)),
            }
            for size in sizes
        ],
        "notices": list(gathered.notices),
    }


def print_bias(console: Console, document: Document) -> None:
    """Prints subset bias."""
    heads = ("Tasks", "Subsets", "Widest spread of UM", "Pairs turned around %", "If equal %", "Most turned around")
    made = table(*heads, right=(heads[0], heads[1], heads[3], heads[4]))
    for size in document["sizes"]:
        name, own = max(size["extractors"].items(), key=lambda item: item[1]["highest"] - item[1]["lowest"])
        most = max(size["flips"], key=lambda flip: flip["share"], default=None)
        words = f"{most['first']}, {most['second']}: {percent(most['share'])} %" if most and most["share"] else ""
        made.add_row(
            str(size["tasks"]), str(size["subsets"]),
            f"{percent(own['lowest'])}-{percent(own['highest'])} ({name})", percent(size["mean_flips"]),
            percent(size["equal_flips"]), words,
        )  # fmt: skip
    console.print(made)
    if document["left_out"]:
        _note(console, f"Left out, for they guess: {', '.join(document['left_out'])}.")
    _note(console, "If equal: how often two extractors that are equal on every task would change places.")
    _note(console, f"Over {len(document['tasks'])} of {document['suite']} tasks: {', '.join(document['tasks'])}.")
    _notes(console, document)


def optimism_document(gathered: Gathered) -> dict[str, Any]:
    """What choosing on test would have claimed, `serab.optimism/1`; `enters` says what counts for its mean."""
    board = gathered.board
    cells = [(row.cells[task], row.current) for row in board.rows for task in board.tasks if task in row.cells]
    cells += [(cell, False) for cell in board.other_data]
    rows = []
    for cell, current in cells:
        gain = optimism(cell.result)
        row = {**asdict(gain), "extractor": cell.extractor, "gain": gain.gain}
        other_data = not board.catalogue.on_column(cell.result)
        counts = current and enters(cell.result) and not is_guess(cell.result)
        rows.append(row | {"enters": counts, "other_data": other_data})
    counted = [row["gain"] for row in rows if row["enters"]]
    mean = sum(counted) / len(counted) if counted else None
    return {
        "schema": "serab.optimism/1",
        "protocol": board.protocol,
        "rows": rows,
        "mean_gain": mean,
        "notices": list(gathered.notices),
    }


def print_optimism(console: Console, document: Document) -> None:
    """Prints optimism."""
    heads = ("Extractor", "Task", "By validation", "Acc. %", "By test", "Claimed %", "Optimism")
    rows = [
        (
            row["extractor"],
            row["task"] + ("‡" if row["other_data"] else "" if row["enters"] else "*"),
            row["chosen"],
            percent(row["accuracy"]),
            row["best"],
            percent(row["claimed"]),
            f"{100 * row['gain']:+.1f}",
        )
        for row in document["rows"]
    ]
    print_by_extractor(console, heads, rows, right=("Acc. %", "Claimed %", "Optimism"))
    if any(not row["enters"] for row in document["rows"]):
        _note(console, "* in no mean: synthetic or partial corpus, a guess, or another version of an extractor")
    if document["mean_gain"] is not None:
        _say(console, f"Choosing on test would claim {100 * document['mean_gain']:.1f} points more on average.")
    _notes(console, document)


def fairness_document(gathered: Gathered) -> dict[str, Any]:
    """Scores by speaker and sex, `serab.fairness/1`."""
    board = gathered.board
    label = gathered.asked[0]
    tasks = {}
    for task, (cell, *_) in _cells(board, label).items():
        tasks[task] = {
            "accuracy": cell.result.accuracy,
            "other_data": not board.catalogue.on_column(cell.result),
            "speakers": [asdict(group) for group in by_speaker(cell.test)],
            "sexes": [asdict(group) for group in by_sex(cell.test, cell.result.sexes)],
            "speaker_gap": _optional(speaker_gap(cell.test)),
            "sex_gap": _optional(sex_gap(cell.test, cell.result.sexes)),
        }
    return {
        "schema": "serab.fairness/1",
        "protocol": board.protocol,
        "extractor": label,
        "tasks": {task: tasks[task] for task in board.tasks if task in tasks},
        "notices": list(gathered.notices),
    }


def print_fairness(console: Console, document: Document) -> None:
    """Prints fairness: on each task the sexes, and the speakers from worst to best."""
    made = table("Task", "Who", "Utterances", "Acc. %", "UAR %", right=("Utterances", "Acc. %", "UAR %"))
    words = {"f": "women", "m": "men"}
    for task, own in document["tasks"].items():
        shown = task + ("‡" if own["other_data"] else "")
        for group in own["sexes"]:
            who = f"{words[group['name']]} ({group['speakers']})"
            made.add_row(shown, who, str(group["utterances"]), percent(group["accuracy"]), percent(group["uar"]))
            shown = ""
        for group in own["speakers"]:
            made.add_row(
                shown, f"speaker {group['name']}", str(group["utterances"]), percent(group["accuracy"]),
                percent(group["uar"]),
            )  # fmt: skip
            shown = ""
    console.print(made)
    for task, own in document["tasks"].items():
        for sentence in (_speaker_gap_text(own["speaker_gap"]), _sex_gap_text(own)):
            if sentence:
                _say(console, f"{task}: {sentence}")
    _notes(console, document)


def _optional(found: SpeakerGap | SexGap | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _speaker_gap_text(gap: Mapping[str, Any] | None) -> str:
    """The gap between speakers in a sentence; "" for one speaker."""
    if gap is None:
        return ""
    verdict = "more than chance" if gap["p"] < 0.05 else "not more than chance"
    return (
        f"{100 * gap['gap']:.1f} points between speaker {gap['worst']} and speaker {gap['best']}; speakers that are "
        f"served alike would have {100 * gap['expected']:.1f} on average (p {probability(gap['p'])}: {verdict})."
    )


def _sex_gap_text(task: Mapping[str, Any]) -> str:
    """The difference between women and men in a sentence; "" where the sexes of speakers are not known."""
    gap, sexes = task["sex_gap"], task["sexes"]
    if gap is None:
        absent = {"f": "no man", "m": "no woman"}
        return f"{absent[sexes[0]['name']]} is in the test split." if len(sexes) == 1 else ""
    text = f"women less men {100 * gap['difference']:+.1f} points, as means over speakers"
    if gap["p"] is None:
        return f"{text}; too few speakers to test ({gap['women']} and {gap['men']})."
    return f"{text} ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}, p {probability(gap['p'])})."


def _notes(console: Console, document: Document) -> None:
    for notice in document["notices"]:
        _note(console, notice)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False)


def _note(console: Console, text: str) -> None:
    console.print(text, style="dim", highlight=False)
