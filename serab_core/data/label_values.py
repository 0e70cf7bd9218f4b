"""Refuses implausible labels and speakers: two spellings of one value, missing values, numbers on a scale."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from serab_core.errors import DataError
from serab_core.system.hints import option
from serab_core.system.text import list_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

MISSING = frozenset(
    {
        "",
        "nan",
        "-nan",
        "1.#ind",
        "none",
        "null",
        "nil",
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "<na>",
        "nat",
        "undefined",
        "undef",
    }
    | {"#n/a", "#na", "#nv", "#ref!", "#value!", "#name?", "#div/0!", "missing", "-", "--", "---", "?", "??"}
)
"""Texts that programs write for a missing value, in lower case."""
UNKNOWN = frozenset(
    {"unknown", "unk", "-1", "unknownspeaker", "speakerunknown", "notknown", "notavailable", "notspecified"}
    | {"unspecified", "unidentified", "undefined", "anonymous", "anon", "nospeaker", "various", "multiple"}
    | {"multiplespeakers", "tbd", "unbekannt", "inconnu", "desconocido", "desconhecido", "sconosciuto"}
)
"""Names of unknown speakers; as labels they are valid."""
_NO_EMOTION = frozenset(
    {"unknown", "unk", "xxx", "oth", "other", "others", "noagreement", "no_agreement", "no-agreement"}
    | {"undefined", "unlabeled", "unlabelled", "garbage", "ambiguous"}
)
"""Labels of utterances for which raters chose no emotion or did not agree, such as `xxx` in IEMOCAP."""
MAX_NUMERIC_LABELS = 20  # distinct labels that are whole numbers; more, or fractions, are values on a scale
MIN_ROWS_FOR_DISTINCT = 10  # minimum rows for the check that nearly every row has a different label
MAX_DISTINCT_RATIO = 0.8  # labels per row; with more, the labels are not classes
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+(?:[.,]0+)?")
_JOINED = re.compile(r"[;,/|+&]")  # separators of several labels in a cell
_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_SEPARATOR = re.compile(r"(?<=[^\W_])[-_\u2010-\u2015]+(?=[^\W_])")  # between letters or digits
_QUOTES = (
    "'\"`\u00b4\u2018\u2019\u201c\u201d="  # including the characters that spreadsheets write before text: 's1, ="s1"
)
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u03bf\u03b1\u03c1\u03bd\u0131", "aeopcyxijsoapvi"
)
"""Cyrillic and Greek letters in lower case, and the Latin letters that they look like."""
_EXCEL_NUMBER = re.compile(r"\d(?:[.,]\d+)?E\+\d{2,3}")  # a long number as a spreadsheet writes it
_BLANK = re.compile(r"(?<!\d) | (?!\d)")  # a blank, except between two digits, where it separates two numbers
_SHOWN = 5  # labels, speakers or places that a message lists


@dataclass(frozen=True, slots=True)
class Value:
    """A label or a speaker as it was written.

    Attributes:
        text: the cell, with its blanks.
        place: its position, such as `line 5`.
    """

    text: str
    place: str


def check_labels(values: Iterable[Value], where: str) -> None:
    """Refuse labels that are missing values, have two spellings, or are not classes.

    Raises:
        DataError: with the spellings, counts and first places.
    """
    places = _places(values)
    step = "delete these rows, or write the class out, such as no_emotion"
    _refuse_quotes(places, "label", where)
    _refuse_missing(places, MISSING, "label", where, step)
    _refuse_spellings(places, "label", where, _NUMBER)
    rows = sum(map(len, places.values()))
    numbers = [number for number in map(_number, map(str.strip, places)) if number is not None]
    if len(numbers) == len(places):
        fractions = any(number != number.to_integral_value() for number in numbers)
        if fractions or len(places) > MAX_NUMERIC_LABELS:
            raise _no_classes(places, rows, "numbers on a scale", where)
    if rows >= MIN_ROWS_FOR_DISTINCT and len(places) > MAX_DISTINCT_RATIO * rows:
        raise _no_classes(places, rows, "different values in nearly every row", where)


def check_speakers(values: Iterable[Value], where: str) -> None:
    """Refuse speakers that are missing values or have two spellings.

    Raises:
        DataError: with the spellings, counts and first places.
    """
    places = _places(values)
    step = (
        "splits keep the utterances of a speaker together, so each needs its true speaker: fill it in or delete these "
        "rows; if it is a name, write it differently, such as speaker_NA"
    )
    _refuse_quotes(places, "speaker", where)
    _refuse_missing(places, MISSING | UNKNOWN, "speaker", where, step)
    _refuse_rounded(places, where)
    _refuse_spellings(places, "speaker", where, _WHOLE_NUMBER)  # 1.1 and 1.10 can be two speakers


def label_notes(labels: Collection[str]) -> list[str]:
    """Return notes about labels that may not be emotions, or that combine several emotions."""
    notes = [
        f"the label {visible(label)} is a separate class, although it may not be an emotion"
        for label in sorted(labels)
        if comparison_key(label) in _NO_EMOTION
    ]
    notes += [
        f"the labels {' and '.join(map(visible, group))} differ only by a hyphen or an underscore, and are "
        f"{len(group)} separate classes"
        for group in _near(labels)
    ]
    literals = [label for label in sorted(labels) if label[:1] + label[-1:] in ("[]", "{}", "()")]
    if literals:
        notes.append(f"labels are written as lists or dictionaries, not as plain text, such as {literals[0]}")
    keys = {comparison_key(label) for label in labels}
    joined = [
        label
        for label in sorted(labels)
        if len(components := [part for part in _JOINED.split(label) if part.strip()]) > 1
        and keys.issuperset(comparison_key(part) for part in components)
    ]
    if joined:
        shown = ", ".join(map(visible, joined[:_SHOWN])) + (", ..." if len(joined) > _SHOWN else "")
        notes.append(f"labels that join other labels are separate classes: {shown}")
    return notes


def speaker_notes(speakers: Collection[str]) -> list[str]:
    """Return a note about speakers who may be one person."""
    pairs = _near(speakers)
    if not pairs:
        return []
    shown = "; ".join(" and ".join(map(visible, group)) for group in pairs[:_SHOWN]) + (
        "; ..." if pairs[_SHOWN:] else ""
    )
    return [f"speakers whose names differ only by a hyphen or an underscore count as different people: {shown}"]


def _near(values: Collection[str]) -> list[list[str]]:
    """Return groups of values that differ only by hyphens and underscores, except between two digits."""
    near: dict[str, list[str]] = defaultdict(list)
    for value in sorted(values):
        near[comparison_key(_SEPARATOR.sub(" ", value))].append(value)
    return [group for group in near.values() if len(group) > 1]


def shown_places(places: Sequence[str]) -> str:
    """Return the first places for a message: `line 2, line 5 and 9 more`."""
    return list_names(places, _SHOWN)


def comparison_key(text: str) -> str:
    """Return a value without case, blanks and invisible characters, in one Unicode normal form."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(c for c in folded if c.isspace() or unicodedata.category(c) not in ("Cf", "Cc"))
    return _BLANK.sub("", " ".join(seen.split()))


def visible(text: str) -> str:
    """Return a value in quotes; characters that look like others are written as escapes."""
    plain = all(c.isascii() or unicodedata.category(c)[0] == "L" for c in text)
    plain = plain and (text.isascii() or not text.casefold().translate(_LOOKALIKES).isascii())
    return repr(text) if plain and unicodedata.is_normalized("NFKC", text) else ascii(text)


def _places(values: Iterable[Value]) -> dict[str, list[str]]:
    """Return the places of each text."""
    places: dict[str, list[str]] = defaultdict(list)
    for value in values:
        places[value.text].append(value.place)
    return places


def _refuse_quotes(places: Mapping[str, Sequence[str]], kind: str, where: str) -> None:
    for cell, positions in places.items():
        text = cell.strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            raise DataError(
                f"has {kind} {text} with its quotes: there is a blank before them, or they are written twice",
                where=f"{where}, {positions[0]}",
                next_step="write quotes directly after the delimiter, or no quotes",
            )


def _refuse_missing(
    places: Mapping[str, Sequence[str]], missing_values: frozenset[str], kind: str, where: str, step: str
) -> None:
    missing = [
        text for text in places if comparison_key(text) in missing_values or (kind == "speaker" and _is_unknown(text))
    ]
    if missing:
        spellings = ", ".join(sorted({visible(text.strip()) for text in missing}))
        missing_places = [place for text in missing for place in places[text]]
        rows = "1 row" if len(missing_places) == 1 else f"{len(missing_places)} rows"
        raise DataError(
            f"has {kind} {spellings} in {rows} ({shown_places(missing_places)}), which stands for a missing value",
            where=where,
            next_step=step,
        )


def _refuse_spellings(places: Mapping[str, Sequence[str]], kind: str, where: str, numbers: re.Pattern[str]) -> None:
    """Refuse values that differ only by case, blanks, the Unicode form or the spelling of a number."""
    spellings: dict[object, list[str]] = defaultdict(list)
    for text in places:
        number = _number(text.strip(), numbers)
        spellings[_spelling_key(text) if number is None else number].append(text)
    for variants in spellings.values():
        if len(variants) > 1:
            variants.sort(key=lambda text: (-len(places[text]), text))
            shown = " and ".join(f"{visible(t)} ({len(places[t])} rows, first: {places[t][0]})" for t in variants[:4])
            raise DataError(
                f"writes the same {kind} in {len(variants)} ways: {shown}",
                where=where,
                next_step=f"write the {kind} in one way; if they are two {kind}s, give them names that differ by more "
                "than case, blanks, quotes, zeros, the encoding or the Unicode form",
            )


def _is_unknown(text: str) -> bool:
    """Whether a name stands for an unknown speaker, such as `(Unknown)` or `not available`."""
    word = _NO_LETTER_OR_DIGIT.sub("", comparison_key(text))
    return word in UNKNOWN


def _spelling_key(text: str) -> str:
    """Return a key that is equal for two spellings of one value."""
    word = comparison_key(_decoded_again(text.strip().strip(_QUOTES) or text))
    latin = word.translate(_LOOKALIKES)
    return latin if latin.isascii() else word  # a word only in Cyrillic or Greek letters is unchanged


def _decoded_again(text: str) -> str:
    """Return the original text if UTF-8 was decoded as Windows-1252: `colère` for `colÃ¨re`."""
    if text.isascii():
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def _refuse_rounded(places: Mapping[str, Sequence[str]], where: str) -> None:
    """Refuse speakers that a spreadsheet has rounded: the digits that distinguish them are lost."""
    rounded = [text for text in places if _EXCEL_NUMBER.fullmatch(text.strip())]
    if rounded:
        raise DataError(
            f"has speaker {visible(rounded[0].strip())}, a long number that a spreadsheet has rounded: "
            "several speakers may have become one",
            where=f"{where}, {places[rounded[0]][0]}",
            next_step="export the table again with this column as text",
        )


def _number(text: str, pattern: re.Pattern[str] = _NUMBER) -> Decimal | None:
    """Return the number in a text that matches the pattern; None for other texts."""
    if not pattern.fullmatch(text):
        return None
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _no_classes(distinct: Iterable[str], rows: int, value_kind: str, where: str) -> DataError:
    labels = sorted(distinct)
    shown = ", ".join(visible(label if len(label) <= 40 else label[:37] + "...") for label in labels[:_SHOWN])
    return DataError(
        f"has {len(labels)} different labels in {rows} rows ({shown}, ...): these are {value_kind}, not classes",
        where=where,
        next_step=f"name the column of the classes: {option('label', 'NAME')}",
    )
